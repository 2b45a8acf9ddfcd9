#pragma once

#include "sesame/base/thread_pool.h"

namespace sesame::bench {

/// Seconds since some point. After count_processor_time(): the processor time of this process, divided by `threads`; on
/// a busy machine it tells how good a kernel is where the wall clock tells who else is running, but it does not see
/// threads that wait asleep.
double bench_clock(int threads);
void count_processor_time();

/// The peak of float32 multiply-adds in GFLOP/s over all threads of the pool (base/machine.h), by the same clock: the
/// best of many short runs in about `seconds`.
double bench_peak_gflops(ThreadPool& pool, double seconds);

}  // namespace sesame::bench
