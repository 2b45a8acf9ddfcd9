// Step 1 of a block: a group of targets with the rows h of each. All scores first, then the sigmoids of all pairs in
// whole vectors, then sums of rows for either side. Included once per instruction set.

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
#include "sesame/word_vectors/train/block_rows-inl.h"
#include "sesame/word_vectors/train/block_workspace.h"
#include "sesame/word_vectors/train/row_prefetch.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// Rows that are multiplied with a target at a time: each has a sum in a register.
constexpr int kScoresAtOnce = 8;

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

/// scores[i] = row . h[i] for i < count; up to kScoresAtOnce scores are written.
template <int count>
void score_rows(const float* row, float* const* h, int64_t width, float* scores) {
  const FloatTag d;
  FloatVec sums[kScoresAtOnce];
#pragma GCC unroll 16
  for (int i = 0; i < kScoresAtOnce; ++i) sums[i] = hn::Zero(d);
  for (int64_t column = 0; column < width; column += kLanes) {
    const FloatVec x = hn::Load(d, row + column);
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i) sums[i] = hn::MulAdd(x, hn::Load(d, h[i] + column), sums[i]);
  }
  constexpr int lanes = std::min<int>(kLanes, count <= 4 ? 4 : 8);
  const hn::CappedTag<float, lanes> some;
#pragma GCC unroll 16
  for (int i = 0; i < count; i += lanes) hn::StoreU(sums_of_lanes(some, sums + i), some, scores + i);
}

using ScoreRows = void (*)(const float*, float* const*, int64_t, float*);

template <int... count>
constexpr auto score_functions(std::integer_sequence<int, count...>) {
  return std::array<ScoreRows, sizeof...(count)>{score_rows<count + 1>...};
}

HWY_INLINE void score_target(const float* row, const RowTerms& h, int64_t width, float* scores) {
  static constexpr auto kScore = score_functions(std::make_integer_sequence<int, kScoresAtOnce>());
  for (int64_t i = 0; i < h.count; i += kScoresAtOnce) {
    kScore[static_cast<size_t>(std::min<int64_t>(kScoresAtOnce, h.count - i) - 1)](row, h.rows + i, width, scores + i);
  }
}

/// gradients = rate * (labels - s(scores)), in place of the scores of all pairs.
HWY_INLINE void scores_to_gradients(PairGroup& group, float rate) {
  const FloatTag d;
  for (int64_t pair = 0; pair < group.pairs(); pair += kLanes) {
    float* const values = group.gradients + pair;
    const FloatVec error = hn::Sub(hn::LoadU(d, group.labels + pair), Sigmoid(d, hn::LoadU(d, values)));
    hn::StoreU(hn::Mul(hn::Set(d, rate), error), d, values);
  }
}

/// All pairs of the group, at the rows as they are; then both sides move. h: the rows that its pairs name by index.
HWY_INLINE void step_target_group(std::span<float* const> h, float rate, RowPrefetch& upcoming,
                                  BlockWorkspace::State& scratch) {
  PairGroup& group = scratch.pairs;
  const int64_t width = scratch.width;
  for (int64_t t = 0; t < group.targets(); ++t) {
    score_target(group.target_row(t), group.of_target(t), width, group.gradients + group.first_pair(t));
  }
  scores_to_gradients(group, rate);
  for (int64_t t = 0; t < group.targets(); ++t) {
    upcoming.fetch();
    over_columns(width, SumOfTerms<false>{group.of_target(t), group.gradients, scratch.target_step(t)});
  }
  for (size_t i = 0; i < h.size(); ++i) {
    const RowTerms targets = group.of_h(static_cast<int64_t>(i));
    if (targets.count > 0) over_columns(width, SumOfTerms<true>{targets, group.gradients, h[i]});
  }
  for (int64_t t = 0; t < group.targets(); ++t) add_row(scratch.target_step(t), width, group.target_row(t));
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_WORD_VECTORS_TRAIN_BLOCK_PAIRS_INL_H_
