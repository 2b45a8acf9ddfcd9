#include "bench/fma_probe.h"

#include <algorithm>
#include <ctime>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "bench/fma_probe.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sesame::bench {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Multiply-adds of 12 independent vectors, `rounds` times; returns the operations done.
double multiply_add(int64_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  constexpr int kChains = 12;  // latency 4 times 2 units, and some
  using V = hn::VFromD<hn::ScalableTag<float>>;
  V sums[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sums[i] = hn::Set(d, static_cast<float>(i));
  const V factor = hn::Set(d, 0.999F);
  const V term = hn::Set(d, 0.001F);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sums[i] = hn::MulAdd(sums[i], factor, term);
  }
  V total = sums[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) total = hn::Add(total, sums[i]);
  *sink = hn::GetLane(total);
  return static_cast<double>(rounds) * kChains * 2 * static_cast<double>(hn::Lanes(d));
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame::bench
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
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

HWY_EXPORT(multiply_add);

double fma_peak_gflops(ThreadPool& pool, double seconds) {
  constexpr int64_t kRounds = 5000;
  constexpr int64_t kBlocksPerThread = 8;
  // By processor time each thread counts alone, and the caller's is read most exactly.
  const int threads = processor_time ? 1 : pool.threads();
  const int64_t blocks = kBlocksPerThread * threads;
  double best = 0;
  double elapsed = 0;
  for (const double begin = bench_clock(threads); elapsed < seconds;) {
    const double start = bench_clock(threads);
    double per_block = 0;
    const auto work = [&](int64_t block, int) {
      float sink;
      const double done = HWY_DYNAMIC_DISPATCH(multiply_add)(kRounds, &sink);
      if (block == 0) per_block = sink > 1e9F ? 0 : done;
    };
    if (processor_time) {
      for (int64_t block = 0; block < blocks; ++block) work(block, 0);
    } else {
      pool.run(blocks, work);
    }
    const double end = bench_clock(threads);
    best = std::max(best, per_block * static_cast<double>(blocks) / (end - start));
    elapsed = end - begin;
  }
  return best * 1e-9 * (processor_time ? pool.threads() : 1);
}

}  // namespace sesame::bench
#endif
