// Sums of rows, which all parts of a step are made of, and n-grams, which are nothing else. Included once per
// instruction set.

#if defined(SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_
#undef SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_
#else
#define SESAME_WORD_VECTORS_TRAIN_BLOCK_ROWS_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// Vectors of a sum of rows that stay in registers: a strip of columns.
constexpr int kStripVectors = kLanes == 16 ? 8 : 7;

template <class Pass, int vectors>
void run_strip(const Pass& pass, int64_t column) {
  pass.template strip<vectors>(column);
}

template <class Pass, int... vectors>
constexpr auto strip_functions(std::integer_sequence<int, vectors...>) {
  return std::array<void (*)(const Pass&, int64_t), sizeof...(vectors)>{run_strip<Pass, vectors + 1>...};
}

/// Calls pass.strip<vectors>(column) for strips that cover a row.
template <class Pass>
HWY_INLINE void over_columns(int64_t width, const Pass& pass) {
  static constexpr auto kStrips = strip_functions<Pass>(std::make_integer_sequence<int, kStripVectors>());
  for (int64_t column = 0; column < width; column += kStripVectors * kLanes) {
    const int64_t vectors = std::min<int64_t>((width - column) / kLanes, kStripVectors);
    kStrips[static_cast<size_t>(vectors - 1)](pass, column);
  }
}

/// Rows of n-grams lie anywhere in gigabytes: they are asked for so many rows ahead.
constexpr size_t kRowsAhead = 6;

HWY_INLINE void prefetch_row(const float* row, int64_t width) {
  for (int64_t column = 0; column < width; column += 16) hwy::Prefetch(row + column);
}

/// out = scale * the sum of rows.
struct SumOfRows {
  std::span<const float* const> rows;
  float scale;
  float* out;
  int64_t width;

  template <int vectors>
  HWY_INLINE void strip(int64_t column) const {
    const FloatTag d;
    FloatVec sum[vectors];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) sum[v] = hn::Zero(d);
    for (size_t i = 0; i < rows.size(); ++i) {
      const bool first_strip = column == 0;
      if (first_strip && i + kRowsAhead < rows.size()) prefetch_row(rows[i + kRowsAhead], width);
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) sum[v] = hn::Add(sum[v], hn::Load(d, rows[i] + column + v * kLanes));
    }
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) hn::StoreU(hn::Mul(hn::Set(d, scale), sum[v]), d, out + column + v * kLanes);
  }
};

HWY_INLINE void add_to_all_rows(std::span<float* const> rows, int64_t width, const float* delta) {
  const FloatTag d;
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
