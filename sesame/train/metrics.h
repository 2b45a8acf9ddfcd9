#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "sesame/io/json_lines.h"
#include "sesame/io/tensorboard.h"
#include "sesame/train/run_directory.h"

namespace sesame {

/// One record of a run. Fields that are absent are left out.
struct Metrics {
  const char* event = "train";  // "train", "eval", "end"
  int64_t step = 0;
  int64_t tokens = 0;  // seen since the start of the run
  std::optional<double> train_loss;
  std::optional<double> val_loss;
  std::optional<double> best_val_loss;
  std::optional<double> lr;
  std::optional<double> grad_norm;
  std::optional<double> tokens_per_s;
  double elapsed_s = 0;

  [[nodiscard]] JsonRecord to_json() const;
};

/// Writes records to metrics.jsonl and as TensorBoard events; with `print`, evaluations and the end to standard output
/// too.
class MetricsLog {
 public:
  /// Drops records of steps after `resumed_step` first.
  MetricsLog(const RunDirectory& run, int64_t resumed_step, bool print);

  void write(const Metrics& metrics);

 private:
  JsonLinesWriter lines_;
  TensorboardWriter events_;
  bool print_;
};

}  // namespace sesame
