#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sesame/base/machine.h"
#include "sesame/train/forecast.h"
#include "sesame/train/recipe.h"
#include "sesame/train/step_profile.h"

namespace sesame {

struct StepBenchmarkOptions {
  int64_t warm_up = 2;
  int64_t steps = 10;    // that are timed
  bool profile = false;  // then as many more, at most 10, with a clock around each call
};

/// How fast a recipe's step runs here, on random tokens. Times are seconds.
struct StepBenchmark {
  Forecast forecast;
  int threads = 0;
  std::vector<double> step_seconds;       // whole steps: data, forward, backward, norm, update
  std::vector<double> processor_seconds;  // of all threads, waiting in a spin included, for each of these steps
  double median_seconds = 0;
  double tokens_per_s = 0;
  double gflops = 0;         // model FLOPs (analyze/flops.h) of the median step, 10^9 a second
  MachineSpeed machine;      // median of the probes between the steps
  double share_of_peak = 0;  // median over the steps of its rate / the mean of the probes before and after it
  int64_t planned_bytes = 0;
  int64_t arena_bytes = 0;          // taken for values; forecast.arena_bytes, exactly
  int64_t measured_peak_bytes = 0;  // highest resident memory over the steps, less that before the step was built

  std::optional<StepProfile> profile;
};

StepBenchmark benchmark_step(const Recipe& recipe, const StepBenchmarkOptions& options);

}  // namespace sesame
