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
HWY_INLINE hn::Vec<hn::Full128<float>> sum_of_blocks(D /*d*/, hn::Vec<D> v) {
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

/// scores[i] = row . h[i] for i < count, of which up to kScoresAtOnce are written; leaves a copy of the row.
template <int count>
void score_rows(const float* row, float* const* h, int64_t width, float* scores, float* copy) {
  const FloatTag d;
  FloatVec sums[kScoresAtOnce];
#pragma GCC unroll 16
  for (int i = 0; i < kScoresAtOnce; ++i) sums[i] = hn::Zero(d);
  for (int64_t column = 0; column < width; column += kLanes) {
    const FloatVec x = hn::Load(d, row + column);
    hn::Store(x, d, copy + column);
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i) sums[i] = hn::MulAdd(x, hn::Load(d, h[i] + column), sums[i]);
  }
  constexpr int lanes = std::min<int>(kLanes, count <= 4 ? 4 : 8);
  const hn::CappedTag<float, lanes> some;
#pragma GCC unroll 16
  for (int i = 0; i < count; i += lanes) hn::StoreU(sums_of_lanes(some, sums + i), some, scores + i);
}

using ScoreRows = void (*)(const float*, float* const*, int64_t, float*, float*);

template <int... count>
constexpr auto score_functions(std::integer_sequence<int, count...>) {
  return std::array<ScoreRows, sizeof...(count)>{score_rows<count + 1>...};
}

/// The scores of a target's pairs, in the place of their gradients.
HWY_INLINE void score_target(PairGroup& group, int64_t t, int64_t width, float* copy) {
  static constexpr auto kScore = score_functions(std::make_integer_sequence<int, kScoresAtOnce>());
  const FloatTag d;
  const int64_t end = group.first_pair(t) + group.pairs_of_target(t);
  for (int64_t pair = group.first_pair(t); pair < end; pair += kScoresAtOnce) {
    const auto count = static_cast<size_t>(std::min<int64_t>(kScoresAtOnce, end - pair));
    kScore[count - 1](group.target_row(t), group.pair_rows(pair), width, group.gradients + pair, copy);
    for (int64_t i = 0; i < kScoresAtOnce; i += kLanes) {
      hn::StoreU(hn::Set(d, group.label(t)), d, group.labels_of_pairs + pair + i);
    }
  }
}

/// gradients = rate * (labels - s(scores)), of all pairs.
HWY_INLINE void scores_to_gradients(PairGroup& group, float rate) {
  const FloatTag d;
  for (int64_t pair = 0; pair < group.pairs(); pair += kLanes) {
    float* const values = group.gradients + pair;
    const FloatVec error = hn::Sub(hn::LoadU(d, group.labels_of_pairs + pair), Sigmoid(d, hn::LoadU(d, values)));
    hn::StoreU(hn::Mul(hn::Set(d, rate), error), d, values);
  }
}

/// row += the sum of factor(k) * term(k), k < count
template <typename Factor, typename Term>
struct MoveRow {
  float* row;
  int64_t count;
  Factor factor;
  Term term;

  template <int vectors>
  HWY_INLINE void strip(int64_t column) const {
    const FloatTag d;
    float* const y = row + column;
    FloatVec sum[vectors];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) sum[v] = hn::Load(d, y + v * kLanes);
    for (int64_t k = 0; k < count; ++k) {
      const float* x = term(k) + column;
      const FloatVec g = hn::Set(d, factor(k));
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) sum[v] = hn::MulAdd(g, hn::Load(d, x + v * kLanes), sum[v]);
    }
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) hn::Store(sum[v], d, y + v * kLanes);
  }
};

/// A target moves along the rows h of its pairs.
HWY_INLINE void move_target(const PairGroup& group, int64_t t, int64_t width) {
  float* const* const rows = group.pair_rows(group.first_pair(t));
  const float* const gradients = group.gradients + group.first_pair(t);
  over_columns(width,
               MoveRow{group.target_row(t), group.pairs_of_target(t), [=](int64_t k) HWY_ATTR { return gradients[k]; },
                       [=](int64_t k) HWY_ATTR { return rows[k]; }});
}

/// Row i of h moves along the targets of its pairs, as they were. targets: [kTargetGroup, width]
HWY_INLINE void move_h(const PairGroup& group, int64_t i, float* row, const float* targets, int64_t width) {
  if (group.pairs_of_h(i) == 0) return;
  const uint16_t* const pairs = group.h_pairs(i);
  const float* const gradients = group.gradients;
  over_columns(width,
               MoveRow{row, group.pairs_of_h(i), [=](int64_t k) HWY_ATTR { return gradients[pairs[k] / kTargetGroup]; },
                       [=](int64_t k) HWY_ATTR { return targets + pairs[k] % kTargetGroup * width; }});
}

/// All pairs of the group, at the rows as they are; then both sides move. h: the rows that its pairs name by index.
HWY_INLINE void step_target_group(std::span<float* const> h, float rate, RowPrefetch& upcoming,
                                  BlockWorkspace::State& scratch) {
  PairGroup& group = scratch.pairs;
  const int64_t width = scratch.width;
  float* const targets = scratch.targets.get();
  for (int64_t t = 0; t < group.targets(); ++t) score_target(group, t, width, targets + t * width);
  scores_to_gradients(group, rate);
  for (int64_t t = 0; t < group.targets(); ++t) {
    upcoming.fetch();
    move_target(group, t, width);
  }
  for (size_t i = 0; i < h.size(); ++i) move_h(group, static_cast<int64_t>(i), h[i], targets, width);
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_WORD_VECTORS_TRAIN_BLOCK_PAIRS_INL_H_
