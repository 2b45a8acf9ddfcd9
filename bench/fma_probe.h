#pragma once

#include "sesame/base/thread_pool.h"

namespace sesame::bench {

/// Seconds since some point. After count_processor_time(): the processor time of this process, divided by `threads`; on
/// a busy machine it tells how good a kernel is where the wall clock tells who else is running, but it does not see
/// threads that wait asleep.
double bench_clock(int threads);
void count_processor_time();

/// Billions of float32 operations per second (a multiply-add counts two) that the widest vectors of this processor
/// reach in registers on all threads of the pool: the best of many short runs in about `seconds`.
double fma_peak_gflops(ThreadPool& pool, double seconds);

}  // namespace sesame::bench
