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
#include "sesame/base/philox.h"
#include "sesame/simd/simd-inl.h"

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

/// The four words of some counters, each in the lower half of a 64-bit lane; what is above is of no account.
struct PhiloxLanes {
  using Tag = hn::Repartition<uint64_t, WordTag>;
  using Vec = hn::VFromD<Tag>;
  Vec c0, c1, c2, c3;

  HWY_INLINE void round(WordVec m0, WordVec m1, Vec k0, Vec k1) {
    const WordTag d;
    const Vec p0 = hn::MulEven(hn::BitCast(d, c0), m0);
    const Vec p1 = hn::MulEven(hn::BitCast(d, c2), m1);
    c0 = hn::Xor(hn::ShiftRight<32>(p1), hn::Xor(c1, k0));
    c2 = hn::Xor(hn::ShiftRight<32>(p0), hn::Xor(c3, k1));
    c1 = p1;
    c3 = p0;
  }

  /// Counter by counter, those of the even lanes first.
  HWY_INLINE void store(uint32_t* HWY_RESTRICT words) const {
    const WordTag d;
    const Tag wide;
    const auto join = [](Vec low, Vec high) HWY_ATTR {
      return hn::BitCast(Tag(),
                         hn::OddEven(hn::BitCast(WordTag(), hn::ShiftLeft<32>(high)), hn::BitCast(WordTag(), low)));
    };
    const Vec first = join(c0, c1), second = join(c2, c3);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, first, second)), d, words);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, first, second)), d, words + kLanes);
  }
};

/// The words of counter blocks (first .. first + kLanes - 1, step): 4 * kLanes words, in the order of elements. Two
/// vectors of counters at a time, since the rounds of one leave the multipliers idle.
HWY_INLINE void philox_words(uint64_t key, uint64_t first, uint64_t step, uint32_t* HWY_RESTRICT words) {
  const WordTag d;
  const PhiloxLanes::Tag wide;
  constexpr int64_t kCounters = kLanes / 2;  // per vector
  HWY_ALIGN uint64_t order[kCounters];       // such that store() puts them in a row
  for (int64_t i = 0; i < kCounters; ++i) order[i] = static_cast<uint64_t>(i / 2 + i % 2 * (kCounters / 2));
  const auto counter = hn::Add(hn::Set(wide, first), hn::Load(wide, order));
  const auto further = hn::Add(counter, hn::Set(wide, static_cast<uint64_t>(kCounters)));
  const auto low_step = hn::Set(wide, step), high_step = hn::Set(wide, step >> 32);
  PhiloxLanes a{counter, hn::ShiftRight<32>(counter), low_step, high_step};
  PhiloxLanes b{further, hn::ShiftRight<32>(further), low_step, high_step};
  auto k0 = hn::Set(wide, key), k1 = hn::Set(wide, key >> 32);
  const auto weyl0 = hn::Set(wide, uint64_t{0x9E3779B9u}), weyl1 = hn::Set(wide, uint64_t{0xBB67AE85u});
  const WordVec m0 = hn::Set(d, 0xD2511F53u), m1 = hn::Set(d, 0xCD9E8D57u);
  for (int round = 0; round < 10; ++round) {
    a.round(m0, m1, k0, k1);
    b.round(m0, m1, k0, k1);
    k0 = hn::Add(k0, weyl0);
    k1 = hn::Add(k1, weyl1);
  }
  a.store(words);
  b.store(words + 2 * kLanes);
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
