// Step 1 of a block: one row against a few others, which are the contexts of a target word, or the targets of one mean.
// Included once per instruction set.

#if defined(SESAME_WORD_VECTORS_TRAIN_BLOCK_PAIRS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_WORD_VECTORS_TRAIN_BLOCK_PAIRS_INL_H_
#undef SESAME_WORD_VECTORS_TRAIN_BLOCK_PAIRS_INL_H_
#else
#define SESAME_WORD_VECTORS_TRAIN_BLOCK_PAIRS_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "hwy/highway.h"
#include "sesame/simd/math-inl.h"
#include "sesame/simd/simd-inl.h"
#include "sesame/word_vectors/train/block_step.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// How many rows are multiplied at a time: an accumulator each, or a broadcast gradient each, stay in registers.
constexpr int kRowsInRegisters = kLanes == 16 ? 16 : 8;

#if HWY_TARGET == HWY_SCALAR

HWY_INLINE FloatVec sums_of_lanes(FloatTag, const FloatVec* x) { return x[0]; }

#else

/// The sum of the 128-bit blocks of v.
template <class D>
HWY_INLINE hn::Vec<hn::Full128<float>> sum_of_blocks(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// The sums of the lanes of x[0..4), in that order.
HWY_INLINE hn::Vec<hn::Full128<float>> sums_of_four(const FloatVec* x) {
  const FloatTag d;
  const hn::RepartitionToWide<FloatTag> wide;
  const auto low = hn::BitCast(wide, hn::Add(hn::InterleaveLower(d, x[0], x[1]), hn::InterleaveUpper(d, x[0], x[1])));
  const auto high = hn::BitCast(wide, hn::Add(hn::InterleaveLower(d, x[2], x[3]), hn::InterleaveUpper(d, x[2], x[3])));
  return sum_of_blocks(d, hn::Add(hn::BitCast(d, hn::InterleaveLower(wide, low, high)),
                                  hn::BitCast(d, hn::InterleaveUpper(wide, low, high))));
}

/// The sums of the lanes of as many x as D has lanes.
template <class D>
HWY_INLINE hn::Vec<D> sums_of_lanes(D d, const FloatVec* x) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return sums_of_four(x);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, sums_of_lanes(half, x + hn::MaxLanes(half)), sums_of_lanes(half, x));
  }
}

#endif

/// gradients[i] = rate * (labels[i] - s(row . others[i])) for i < count. Both arrays have room for kPairGroup.
template <int count>
HWY_INLINE void pair_gradients(const float* row, float* const* others, const float* labels, int64_t width, float rate,
                               float* gradients) {
  const FloatTag d;
  FloatVec sums[kRowsInRegisters];
  for (FloatVec& sum : sums) sum = hn::Zero(d);
  for (int64_t v = 0; v < width; v += kLanes) {
    const FloatVec x = hn::Load(d, row + v);
    for (int i = 0; i < count; ++i) sums[i] = hn::MulAdd(x, hn::Load(d, others[i] + v), sums[i]);
  }
  constexpr int lanes = std::min<int>(kLanes, count <= 4 ? 4 : count <= 8 ? 8 : 16);
  const hn::CappedTag<float, lanes> some;
  for (int i = 0; i < count; i += lanes) {
    const auto error = hn::Sub(hn::Load(some, labels + i), Sigmoid(some, sums_of_lanes(some, sums + i)));
    hn::Store(hn::Mul(hn::Set(some, rate), error), some, gradients + i);
  }
}

/// row_step (+)= gradients[i] * others[i]
template <int count>
HWY_INLINE void gather_row_step(float* const* others, const float* gradients, int64_t width, bool first,
                                float* row_step) {
  const FloatTag d;
  FloatVec g[count];
  for (int i = 0; i < count; ++i) g[i] = hn::Set(d, gradients[i]);
  for (int64_t v = 0; v < width; v += kLanes) {
    FloatVec sum = first ? hn::Zero(d) : hn::Load(d, row_step + v);
    for (int i = 0; i < count; ++i) sum = hn::MulAdd(g[i], hn::Load(d, others[i] + v), sum);
    hn::Store(sum, d, row_step + v);
  }
}

/// others[i] += gradients[i] * row, one row after the other: the same one may be there twice.
template <int count>
HWY_INLINE void move_others(const float* row, float* const* others, const float* gradients, int64_t width) {
  const FloatTag d;
  FloatVec g[count];
  for (int i = 0; i < count; ++i) g[i] = hn::Set(d, gradients[i]);
  for (int64_t v = 0; v < width; v += kLanes) {
    const FloatVec x = hn::Load(d, row + v);
    for (int i = 0; i < count; ++i) hn::Store(hn::MulAdd(g[i], x, hn::Load(d, others[i] + v)), d, others[i] + v);
  }
}

/// One row against `count` others, at the rows as they are; then both sides move. labels has room for kPairGroup.
template <int count>
void step_pair_group(float* row, float* const* others, const float* labels, int64_t width, float rate,
                     float* row_step) {
  constexpr int first = std::min(count, kRowsInRegisters), rest = count - first;
  HWY_ALIGN float gradients[kPairGroup];
  pair_gradients<first>(row, others, labels, width, rate, gradients);
  if constexpr (rest > 0) pair_gradients<rest>(row, others + first, labels + first, width, rate, gradients + first);
  gather_row_step<first>(others, gradients, width, true, row_step);
  if constexpr (rest > 0) gather_row_step<rest>(others + first, gradients + first, width, false, row_step);
  move_others<first>(row, others, gradients, width);
  if constexpr (rest > 0) move_others<rest>(row, others + first, gradients + first, width);
  const FloatTag d;
  for (int64_t v = 0; v < width; v += kLanes) {
    hn::Store(hn::Add(hn::Load(d, row + v), hn::Load(d, row_step + v)), d, row + v);
  }
}

using PairGroupStep = void (*)(float*, float* const*, const float*, int64_t, float, float*);

template <int... count>
constexpr auto pair_group_steps(std::integer_sequence<int, count...>) {
  return std::array<PairGroupStep, sizeof...(count)>{step_pair_group<count + 1>...};
}

/// One row against any number of others, kPairGroup at a time.
HWY_INLINE void step_pairs(float* row, float* const* others, const float* labels, int64_t count, int64_t width,
                           float rate, float* row_step) {
  static constexpr auto kSteps = pair_group_steps(std::make_integer_sequence<int, kPairGroup>());
  for (int64_t i = 0; i < count; i += kPairGroup) {
    const auto group = static_cast<size_t>(std::min(kPairGroup, count - i));
    kSteps[group - 1](row, others + i, labels + i, width, rate, row_step);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_WORD_VECTORS_TRAIN_BLOCK_PAIRS_INL_H_
