// The forward pass of attention for one query head against packed keys and values: scores of a block of rows against a
// block of keys, a running softmax (Milakov and Gimelshein 2018), the weighted values. Included once per instruction
// set.

#if defined(SESAME_BACKEND_CPU_ATTENTION_FORWARD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_ATTENTION_FORWARD_INL_H_
#undef SESAME_BACKEND_CPU_ATTENTION_FORWARD_INL_H_
#else
#define SESAME_BACKEND_CPU_ATTENTION_FORWARD_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "hwy/highway.h"
#include "sesame/backend/cpu/attention_scratch.h"
#include "sesame/backend/cpu/philox-inl.h"
#include "sesame/backend/cpu/tile_product-inl.h"
#include "sesame/simd/math-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

static_assert(kQueryBlock % kTileRows == 0 && kKeyBlock % kTileRows == 0 && kKeyBlock % kTileCols == 0);
static_assert(kTilePadding % kTileRows == 0 && kTilePadding % kTileCols == 0 && kColumnPadding % kTileCols == 0);

/// The queries of one head and where their results go.
struct QueryHead {
  const float* queries;  // [time, head_dim], rows query_stride apart
  int64_t query_stride;
  float* out;  // [time, head_dim], rows out_stride apart
  int64_t out_stride;
  float* log_sums;  // [time], or null
  int64_t head_dim;
  int64_t key_count;
  int64_t position;  // of row 0: row t of a causal head sees keys 0 .. position + t
  bool causal;
  float scale;
  const DropoutRule* dropout;  // null: none
  uint64_t first_element;      // for dropout, of row 0 and key 0; rows are key_count elements apart
};

/// How many of the keys from `key` on, at most kKeyBlock, row `row` sees.
HWY_INLINE int64_t visible_keys(const QueryHead& head, int64_t row, int64_t key) {
  const int64_t end = head.causal ? HWY_MIN(head.position + row + 1, head.key_count) : head.key_count;
  return std::clamp<int64_t>(end - key, 0, kKeyBlock);
}

/// scores[r] = exp(scores[r] - max) over the first n columns, zeros up to padded; updates the row's maximum and sum.
/// Returns the factor by which what was summed before must shrink.
HWY_INLINE float softmax_row(float* HWY_RESTRICT scores, int64_t n, int64_t padded, float& row_max, float& row_sum) {
  const FloatTag d;
  const float before = row_max;
  FloatVec max_of_two[2] = {hn::Set(d, before), hn::Set(d, before)};
  int64_t j = 0;
  for (; j + 2 * kLanes <= n; j += 2 * kLanes) {
    max_of_two[0] = hn::Max(max_of_two[0], hn::LoadU(d, scores + j));
    max_of_two[1] = hn::Max(max_of_two[1], hn::LoadU(d, scores + j + kLanes));
  }
  for (; j + kLanes <= n; j += kLanes) max_of_two[0] = hn::Max(max_of_two[0], hn::LoadU(d, scores + j));
  // Rows of the tile are padded to whole vectors, so loading past n is safe; what is there must not count.
  if (j < n) max_of_two[1] = hn::Max(max_of_two[1], first_or(hn::LoadU(d, scores + j), n - j, hn::Set(d, before)));
  row_max = max_of(hn::Max(max_of_two[0], max_of_two[1]));

  const FloatVec shift = hn::Set(d, row_max);
  FloatVec sum0 = hn::Zero(d), sum1 = hn::Zero(d);
  j = 0;
  for (; j + 2 * kLanes <= n; j += 2 * kLanes) {
    const FloatVec p0 = Exp(d, hn::Sub(hn::LoadU(d, scores + j), shift));
    const FloatVec p1 = Exp(d, hn::Sub(hn::LoadU(d, scores + j + kLanes), shift));
    hn::StoreU(p0, d, scores + j);
    hn::StoreU(p1, d, scores + j + kLanes);
    sum0 = hn::Add(sum0, p0);
    sum1 = hn::Add(sum1, p1);
  }
  for (; j < n; j += kLanes) {
    FloatVec p = Exp(d, hn::Sub(hn::LoadU(d, scores + j), shift));
    if (j + kLanes > n) p = first_or(p, n - j, hn::Zero(d));
    hn::StoreU(p, d, scores + j);
    sum0 = hn::Add(sum0, p);
  }
  for (; j < padded; j += kLanes) hn::StoreU(hn::Zero(d), d, scores + j);
  constexpr float kNothingYet = -std::numeric_limits<float>::infinity();
  const float shrink = before == row_max ? 1.0f : before == kNothingYet ? 0.0f : std::exp(before - row_max);
  row_sum = row_sum * shrink + sum_of(hn::Add(sum0, sum1));
  return shrink;
}

/// Scores of `groups` register groups of rows, `queries` being row panels of a query block, against a block of packed
/// keys. group_keys[g]: how many of its keys any row of group g sees.
HWY_INLINE void score_tile(const float* HWY_RESTRICT queries, const float* HWY_RESTRICT keys, int64_t head_dim,
                           int64_t groups, const int64_t* group_keys, float* HWY_RESTRICT scores) {
  int64_t most = 0;
  for (int64_t g = 0; g < groups; ++g) most = HWY_MAX(most, group_keys[g]);
  for (int64_t column = 0; column < most; column += kTileCols) {
    for (int64_t g = 0; g < groups; ++g) {
      if (column >= group_keys[g]) continue;
      const PanelRows rows = {queries + g * kTileRows * kTileCols, kQueryBlock * kTileCols};
      tile_product(head_dim, rows, keys + column * head_dim, group_keys[g] - column,
                   scores + g * kTileRows * kScoreStride + column, kScoreStride);
    }
  }
}

/// Rows [first, first + rows) of one head, rows <= kQueryBlock; keys and values of the scratch are packed already.
HWY_INLINE void attend_block(const QueryHead& head, int64_t first, int64_t rows, const AttentionScratch& scratch) {
  const FloatTag d;
  const int64_t groups = round_up(rows, kTileRows) / kTileRows;
  const int64_t padded_dim = padded_to(head.head_dim, kColumnPadding);
  const int64_t value_rows = padded_to(head.key_count, kTilePadding);
  pack_panels(head.queries + first * head.query_stride, head.query_stride, rows, kQueryBlock, head.head_dim, head.scale,
              scratch.queries);
  std::fill_n(scratch.row_max, kQueryBlock, -std::numeric_limits<float>::infinity());
  std::fill_n(scratch.row_sum, kQueryBlock, 0.0f);

  int64_t group_keys[kQueryBlock / kTileRows];
  for (int64_t key = 0; key < head.key_count; key += kKeyBlock) {
    if (visible_keys(head, first + rows - 1, key) == 0) break;
    for (int64_t g = 0; g < groups; ++g) {
      group_keys[g] = visible_keys(head, first + HWY_MIN((g + 1) * kTileRows, rows) - 1, key);
    }
    score_tile(scratch.queries, scratch.keys + key * head.head_dim, head.head_dim, groups, group_keys, scratch.scores);

    for (int64_t r = 0; r < groups * kTileRows; ++r) {
      if (key == 0 && r < rows) {
        fetch_row(head.out + (first + r) * head.out_stride, head.head_dim);
        fetch_row(head.queries + (first + rows + r) * head.query_stride, head.head_dim);
      }
      float* HWY_RESTRICT scores = scratch.scores + r * kScoreStride;
      const int64_t padded = round_up(group_keys[r / kTileRows], kLanes);
      const int64_t n = r < rows ? visible_keys(head, first + r, key) : 0;
      if (n == 0) {
        std::memset(scores, 0, static_cast<size_t>(padded) * sizeof(float));
        continue;
      }
      const float shrink = softmax_row(scores, n, padded, scratch.row_max[r], scratch.row_sum[r]);
      if (key > 0 && shrink != 1.0f) {
        const FloatVec factor = hn::Set(d, shrink);
        map(
            padded_dim, scratch.sums + r * padded_dim, [factor](FloatVec x) HWY_ATTR { return hn::Mul(x, factor); },
            scratch.sums + r * padded_dim);
      }
      if (head.dropout != nullptr) {
        const uint64_t element = head.first_element + static_cast<uint64_t>((first + r) * head.key_count + key);
        dropout_factors(*head.dropout, element, n, scratch.factors);
        map(
            n, scores, [](FloatVec p, FloatVec factor) HWY_ATTR { return hn::Mul(p, factor); }, scores,
            scratch.factors);
      }
    }

    for (int64_t column = 0; column < head.head_dim; column += kTileCols) {
      const float* values = scratch.values + column * value_rows + key * kTileCols;
      for (int64_t g = 0; g < groups; ++g) {
        const float* scores = scratch.scores + g * kTileRows * kScoreStride;
        float* sums = scratch.sums + g * kTileRows * padded_dim + column;
        if (key == 0) {
          tile_product<kScoreStride, 1, false>(group_keys[g], scores, values, sums, padded_dim);
        } else {
          tile_product<kScoreStride, 1, true>(group_keys[g], scores, values, sums, padded_dim);
        }
      }
    }
  }

  for (int64_t r = 0; r < rows; ++r) {
    const FloatVec factor = hn::Set(d, 1.0f / scratch.row_sum[r]);
    map(
        head.head_dim, head.out + (first + r) * head.out_stride,
        [factor](FloatVec x) HWY_ATTR { return hn::Mul(x, factor); }, scratch.sums + r * padded_dim);
  }
  if (head.log_sums != nullptr) {
    map(
        rows, head.log_sums + first,
        [](FloatVec max, FloatVec sum) HWY_ATTR { return hn::Add(max, Log(FloatTag(), sum)); }, scratch.row_max,
        scratch.row_sum);
  }
}

/// Packs the first `count` of the keys and values of one head for attend_block; `key_count` fixes the layout.
HWY_INLINE void pack_keys_and_values(const float* keys, const float* values, int64_t stride, int64_t count,
                                     int64_t key_count, int64_t head_dim, const AttentionScratch& scratch) {
  for (int64_t t = 0; t < HWY_MIN(count, 2 * kTileCols); ++t) fetch_row(keys + t * stride, head_dim);
  pack_transposed(keys, stride, count, head_dim, scratch.keys);
  const int64_t padded_keys = padded_to(key_count, kTilePadding);
  pack_panels(values, stride, count, padded_keys, head_dim, 1.0f, scratch.values);
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_ATTENTION_FORWARD_INL_H_
