#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "sesame/train/recipe.h"

namespace sesame {

struct TrainRequest {
  Recipe recipe;
  std::filesystem::path out;  // the run directory, see run_directory.h
  bool resume = false;        // go on from out/last
  bool overwrite = false;     // throw an earlier run in `out` away
  bool json = false;          // one JSON object a line on standard output for each evaluation and the end
};

struct TrainResult {
  enum class End : uint8_t { finished, interrupted } end = End::finished;
  int64_t step = 0;
  double train_loss = 0;  // mean since the evaluation before
  double validation_loss = 0;
  double best_validation_loss = 0;
};

/// Trains a language model as the recipe says, from text to a model directory: tokenizer, shards, cost announced before
/// the first step, the loop, evaluations, checkpoints. Progress and messages go to standard error.
///
/// 1. A run that is killed at any moment leaves complete models in out/last and (once an evaluation took place)
/// out/best.
/// 2. With `resume` the run goes on from out/last; its parameters have the same bits as those of a run that never
/// stopped.
/// 3. The first SIGINT or SIGTERM saves and returns End::interrupted, the second ends the process.
/// 4. A loss or gradient norm that is not finite throws Error before the update; out/last stays as it was.
/// 5. Throws Error for an `out` that holds a run (without resume or overwrite) or other files, data that cannot be
/// used, a model that
///    does not fit in memory, and a disk that is full; whatever was complete on disk stays.
TrainResult train(const TrainRequest& request);

}  // namespace sesame
