#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sesame/base/machine.h"
#include "sesame/train/forecast.h"
#include "sesame/train/recipe.h"

namespace sesame {

struct StepBenchmarkOptions {
  int64_t warm_up = 2;
  int64_t steps = 10;    // that are timed
  bool profile = false;  // one more step, each call timed by itself
};

/// How fast a recipe's step runs here, on random tokens. Times are seconds.
struct StepBenchmark {
  Forecast forecast;
  int threads = 0;
  std::vector<double> step_seconds;  // whole steps: data, forward, backward, norm, update
  double median_seconds = 0;
  double tokens_per_s = 0;
  double gflops = 0;         // model FLOPs (analyze/flops.h) of the median step, 10^9 a second
  MachineSpeed machine;      // median of the probes between the steps
  double share_of_peak = 0;  // median over the steps of its rate / the mean of the probes before and after it
  int64_t planned_bytes = 0;
  int64_t measured_peak_bytes = 0;  // highest resident memory over the steps, less that before the step was built

  struct OpTime {
    std::string name;
    int64_t calls = 0;
    double seconds = 0;
    double gflops = 0;  // by the op's own count
    double gigabytes_per_s = 0;
  };
  std::vector<OpTime> ops;  // by falling time, with profile

  struct CallTime {
    std::string op;
    std::string scope;
    std::string shapes;
    double seconds = 0;
    double gflops = 0;
  };
  std::vector<CallTime> calls;  // the dearest first, with profile
};

StepBenchmark benchmark_step(const Recipe& recipe, const StepBenchmarkOptions& options);

}  // namespace sesame
