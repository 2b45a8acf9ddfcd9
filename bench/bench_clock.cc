#include "bench/bench_clock.h"

#include <algorithm>
#include <ctime>

#include "sesame/base/machine.h"

namespace sesame::bench {
namespace {
bool processor_time = false;
}

void count_processor_time() { processor_time = true; }

double bench_clock(int threads) {
  timespec now;
  clock_gettime(processor_time ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  const double seconds = static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  return processor_time ? seconds / threads : seconds;
}

double bench_peak_gflops(ThreadPool& pool, double seconds) {
  constexpr double kTrialSeconds = 0.001;
  if (!processor_time) return probe_peak_gflops(pool, static_cast<int>(seconds / kTrialSeconds) + 1, kTrialSeconds);
  // Each thread counts alone, and the caller's time is read most exactly.
  constexpr int64_t kRounds = 40000;
  double best = 0;
  for (const double begin = bench_clock(1); bench_clock(1) - begin < seconds;) {
    const double start = bench_clock(1);
    const double operations = multiply_add_rounds(kRounds);
    best = std::max(best, operations / (bench_clock(1) - start));
  }
  return 1e-9 * best * pool.threads();
}

}  // namespace sesame::bench
