// Sums of rows, and rows that move together: n-grams. Included once per instruction set.

#if defined(SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_
#undef SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_
#else
#define SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <span>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// Rows of n-grams lie anywhere in a table of gigabytes: they are asked for so many rows ahead.
constexpr size_t kRowsAhead = 6;

/// A stretch of columns that stays in registers.
constexpr int kStretch = 7;

HWY_INLINE void prefetch_row(const float* row, int64_t width) {
  for (int64_t v = 0; v < width; v += 16) hwy::Prefetch(row + v);
}

template <int vectors>
HWY_INLINE void sum_stretch(std::span<const float* const> rows, int64_t column, int64_t width, float scale,
                            float* out) {
  const FloatTag d;
  FloatVec sum[vectors];
  for (FloatVec& s : sum) s = hn::Zero(d);
  for (size_t i = 0; i < rows.size(); ++i) {
    // The first stretch brings whole rows.
    if (column == 0 && i + kRowsAhead < rows.size()) prefetch_row(rows[i + kRowsAhead], width);
    for (int v = 0; v < vectors; ++v) sum[v] = hn::Add(sum[v], hn::Load(d, rows[i] + column + v * kLanes));
  }
  for (int v = 0; v < vectors; ++v) hn::StoreU(hn::Mul(hn::Set(d, scale), sum[v]), d, out + column + v * kLanes);
}

HWY_INLINE void sum_all_rows(std::span<const float* const> rows, int64_t width, float scale, float* out) {
  for (size_t i = 0; i < std::min(rows.size(), kRowsAhead); ++i) prefetch_row(rows[i], width);
  int64_t column = 0;
  for (; column + kStretch * kLanes <= width; column += kStretch * kLanes) {
    sum_stretch<kStretch>(rows, column, width, scale, out);
  }
  for (; column < width; column += kLanes) sum_stretch<1>(rows, column, width, scale, out);
}

HWY_INLINE void add_to_all_rows(std::span<float* const> rows, int64_t width, const float* delta) {
  const FloatTag d;
  for (size_t i = 0; i < std::min(rows.size(), kRowsAhead); ++i) prefetch_row(rows[i], width);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kRowsAhead < rows.size()) prefetch_row(rows[i + kRowsAhead], width);
    float* const row = rows[i];
    for (int64_t v = 0; v < width; v += kLanes) {
      hn::Store(hn::Add(hn::Load(d, row + v), hn::LoadU(d, delta + v)), d, row + v);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_
