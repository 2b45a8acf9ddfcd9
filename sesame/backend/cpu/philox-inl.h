// Philox4x32-10 (sesame/base/philox.h) for many counters at once, word for word the same, and the dropout rule on top
// of it. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_PHILOX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_PHILOX_INL_H_
#undef SESAME_BACKEND_CPU_PHILOX_INL_H_
#else
#define SESAME_BACKEND_CPU_PHILOX_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>

#include "hwy/highway.h"
#include "sesame/backend/cpu/simd-inl.h"
#include "sesame/base/philox.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

using WordTag = hn::RebindToUnsigned<FloatTag>;
using WordVec = hn::VFromD<WordTag>;

#if HWY_TARGET == HWY_SCALAR

/// The words of counter block (first, step).
HWY_INLINE void philox_words(uint64_t key, uint64_t first, uint64_t step, uint32_t* HWY_RESTRICT words) {
  Philox philox(0, 0);
  philox.key = key;
  const std::array<uint32_t, 4> block = philox.block(first, step);
  std::copy(block.begin(), block.end(), words);
}

#else

/// The upper and lower halves of the 64-bit products of all lanes with one constant.
HWY_INLINE void multiply_wide(WordVec a, WordVec factor, WordVec& high, WordVec& low) {
  const WordTag d;
  const hn::Repartition<uint64_t, WordTag> wide;
  const auto even = hn::MulEven(a, factor);
  const auto odd = hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, a))), factor);
  high = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  low = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
}

/// The words of counter blocks (first .. first + kLanes - 1, step): 4 * kLanes words, in the order of elements.
HWY_INLINE void philox_words(uint64_t key, uint64_t first, uint64_t step, uint32_t* HWY_RESTRICT words) {
  const WordTag d;
  const WordVec start = hn::Set(d, static_cast<uint32_t>(first));
  WordVec c0 = hn::Add(start, hn::Iota(d, 0u));
  const auto carry = hn::Lt(c0, start);
  WordVec c1 = hn::Set(d, static_cast<uint32_t>(first >> 32));
  c1 = hn::IfThenElse(carry, hn::Add(c1, hn::Set(d, 1u)), c1);
  WordVec c2 = hn::Set(d, static_cast<uint32_t>(step));
  WordVec c3 = hn::Set(d, static_cast<uint32_t>(step >> 32));
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  const WordVec m0 = hn::Set(d, 0xD2511F53u), m1 = hn::Set(d, 0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    WordVec high0, low0, high1, low1;
    multiply_wide(c0, m0, high0, low0);
    multiply_wide(c2, m1, high1, low1);
    c0 = hn::Xor(hn::Xor(high1, c1), hn::Set(d, k0));
    c2 = hn::Xor(hn::Xor(high0, c3), hn::Set(d, k1));
    c1 = low1;
    c3 = low0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  hn::StoreInterleaved4(c0, c1, c2, c3, d, words);
}

#endif  // HWY_TARGET == HWY_SCALAR

/// An element is dropped iff its word is below `threshold`; the others are multiplied by `scale`.
struct DropoutRule {
  Philox philox;
  uint64_t step;
  uint32_t threshold;
  float scale;

  DropoutRule(uint64_t seed, int64_t key, uint64_t step_number, double rate)
      : philox(seed, static_cast<uint64_t>(key)),
        step(step_number),
        threshold(static_cast<uint32_t>(static_cast<uint64_t>(rate * 4294967296.0))),
        scale(static_cast<float>(1.0 / (1.0 - rate))) {}
};

/// factors[i] = 0 or rule.scale for element first + i, i in [0, n).
HWY_INLINE void dropout_factors(const DropoutRule& rule, uint64_t first, int64_t n, float* HWY_RESTRICT factors) {
  const WordTag d;
  const FloatTag df;
  const WordVec threshold = hn::Set(d, rule.threshold);
  const FloatVec scale = hn::Set(df, rule.scale);
  HWY_ALIGN uint32_t words[4 * kLanes];
  uint64_t block = first / 4;
  int64_t skipped = static_cast<int64_t>(first % 4);  // words of the first block that belong to earlier elements
  for (int64_t i = 0; i < n; ++block) {
    philox_words(rule.philox.key, block, rule.step, words);
    block += static_cast<uint64_t>(kLanes) - 1;
    const int64_t count = HWY_MIN(4 * kLanes - skipped, n - i);
    int64_t j = 0;
    for (; j + kLanes <= count; j += kLanes) {
      const auto dropped = hn::RebindMask(df, hn::Lt(hn::LoadU(d, words + skipped + j), threshold));
      hn::StoreU(hn::IfThenZeroElse(dropped, scale), df, factors + i + j);
    }
    for (; j < count; ++j) factors[i + j] = words[skipped + j] < rule.threshold ? 0.0f : rule.scale;
    i += count;
    skipped = 0;
  }
}

/// y[i] = x[i] scaled or 0, for element first + i, i in [0, n). y may be x. A dropped infinity or NaN is 0, too.
HWY_INLINE void drop(const DropoutRule& rule, uint64_t first, int64_t n, const float* x, float* y) {
  const WordTag d;
  const FloatTag df;
  const WordVec threshold = hn::Set(d, rule.threshold);
  const FloatVec scale = hn::Set(df, rule.scale);
  HWY_ALIGN uint32_t words[4 * kLanes];
  uint64_t block = first / 4;
  int64_t skipped = static_cast<int64_t>(first % 4);  // words of the first block that belong to earlier elements
  for (int64_t i = 0; i < n; ++block) {
    philox_words(rule.philox.key, block, rule.step, words);
    block += static_cast<uint64_t>(kLanes) - 1;
    const int64_t count = HWY_MIN(4 * kLanes - skipped, n - i);
    int64_t j = 0;
    for (; j + kLanes <= count; j += kLanes) {
      const auto dropped = hn::RebindMask(df, hn::Lt(hn::LoadU(d, words + skipped + j), threshold));
      hn::StoreU(hn::IfThenZeroElse(dropped, hn::Mul(hn::LoadU(df, x + i + j), scale)), df, y + i + j);
    }
    for (; j < count; ++j) y[i + j] = words[skipped + j] < rule.threshold ? 0.0f : x[i + j] * rule.scale;
    i += count;
    skipped = 0;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_PHILOX_INL_H_
