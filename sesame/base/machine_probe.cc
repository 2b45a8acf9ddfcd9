#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/base/machine_probe.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/base/huge_buffer.h"
#include "sesame/base/machine.h"
#include "sesame/base/thread_pool.h"

HWY_BEFORE_NAMESPACE();
namespace sesame::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Runs `rounds` rounds of twelve independent multiply-adds (four cycles of latency times two units is eight; some
/// cores need more) and returns the floating-point operations done.
int64_t MultiplyAdd(int64_t rounds, float* sink) {
  const hn::ScalableTag<float> d;
  const auto a = hn::Set(d, 0.999f);
  const auto b = hn::Set(d, 0.001f);
  auto s0 = hn::Iota(d, 0), s1 = hn::Iota(d, 1), s2 = hn::Iota(d, 2), s3 = hn::Iota(d, 3);
  auto s4 = hn::Iota(d, 4), s5 = hn::Iota(d, 5), s6 = hn::Iota(d, 6), s7 = hn::Iota(d, 7);
  auto s8 = hn::Iota(d, 8), s9 = hn::Iota(d, 9), s10 = hn::Iota(d, 10), s11 = hn::Iota(d, 11);
  for (int64_t round = 0; round < rounds; ++round) {
    s0 = hn::MulAdd(s0, a, b), s1 = hn::MulAdd(s1, a, b), s2 = hn::MulAdd(s2, a, b);
    s3 = hn::MulAdd(s3, a, b), s4 = hn::MulAdd(s4, a, b), s5 = hn::MulAdd(s5, a, b);
    s6 = hn::MulAdd(s6, a, b), s7 = hn::MulAdd(s7, a, b), s8 = hn::MulAdd(s8, a, b);
    s9 = hn::MulAdd(s9, a, b), s10 = hn::MulAdd(s10, a, b), s11 = hn::MulAdd(s11, a, b);
  }
  const auto sum =
      hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)),
              hn::Add(hn::Add(hn::Add(s4, s5), hn::Add(s6, s7)), hn::Add(hn::Add(s8, s9), hn::Add(s10, s11))));
  *sink = hn::GetLane(hn::SumOfLanes(d, sum));
  return rounds * 12 * 2 * static_cast<int64_t>(hn::Lanes(d));
}

/// Sums `count` words, a multiple of four vectors.
uint64_t Sum(const uint64_t* words, size_t count) {
  const hn::ScalableTag<uint64_t> d;
  const size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  for (size_t i = 0; i + 4 * lanes <= count; i += 4 * lanes) {
    s0 = hn::Add(s0, hn::Load(d, words + i));
    s1 = hn::Add(s1, hn::Load(d, words + i + lanes));
    s2 = hn::Add(s2, hn::Load(d, words + i + 2 * lanes));
    s3 = hn::Add(s3, hn::Load(d, words + i + 3 * lanes));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

const char* TargetName() { return hwy::TargetName(HWY_TARGET); }

}  // namespace sesame::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>

namespace sesame {

HWY_EXPORT(MultiplyAdd);
HWY_EXPORT(Sum);
HWY_EXPORT(TargetName);

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Keeps the compiler from leaving out work whose result nobody reads.
void keep(uint64_t value) {
  static std::atomic<uint64_t> sink;
  sink.fetch_add(value, std::memory_order_relaxed);
}

}  // namespace

double multiply_add_rounds(int64_t rounds) {
  float sink = 0;
  const int64_t done = HWY_DYNAMIC_DISPATCH(MultiplyAdd)(rounds, &sink);
  keep(static_cast<uint64_t>(sink));
  return static_cast<double>(done);
}

double probe_peak_gflops(ThreadPool& pool, int trials, double trial_seconds) {
  constexpr int64_t kRounds = 2000;  // some 10 us between two looks at the clock
  double best = 0;
  for (int trial = 0; trial < trials; ++trial) {
    std::atomic<int64_t> operations = 0;
    const auto start = Clock::now();
    pool.run(pool.threads(), [&](int64_t, int) {
      int64_t mine = 0;
      float sink = 0;
      while (seconds_since(start) < trial_seconds) mine += HWY_DYNAMIC_DISPATCH(MultiplyAdd)(kRounds, &sink);
      operations += mine;
      keep(static_cast<uint64_t>(sink));
    });
    best = std::max(best, static_cast<double>(operations) / seconds_since(start) / 1e9);
  }
  return best;
}

double probe_read_bandwidth(ThreadPool& pool, int trials, size_t bytes) {
  constexpr size_t kBlockBytes = size_t{1} << 20;
  if (bytes == 0) bytes = std::clamp(4 * last_level_cache_bytes(), size_t{64} << 20, size_t{256} << 20);
  const size_t blocks = std::max<size_t>(bytes / kBlockBytes, 1);
  const HugeBuffer buffer(blocks * kBlockBytes, HugeBuffer::FirstTouch::now);
  const auto words = buffer.as<const uint64_t>();
  constexpr size_t kBlockWords = kBlockBytes / sizeof(uint64_t);
  double best = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const auto start = Clock::now();
    pool.run(static_cast<int64_t>(blocks), [&](int64_t block, int) {
      keep(HWY_DYNAMIC_DISPATCH(Sum)(words.data() + static_cast<size_t>(block) * kBlockWords, kBlockWords));
    });
    best = std::max(best, static_cast<double>(buffer.size()) / seconds_since(start) / 1e9);
  }
  return best;
}

MachineSpeed probe_machine(ThreadPool& pool) { return {probe_peak_gflops(pool), probe_read_bandwidth(pool)}; }

std::string vector_instructions() { return HWY_DYNAMIC_DISPATCH(TargetName)(); }

}  // namespace sesame
#endif
