// Products of small matrices on packed tiles, for attention: one register block of kTileRows x kTileCols, and the
// packing that feeds it. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
#undef SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
#else
#define SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"
#include "sesame/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

// Two vectors wide, and as many rows as leave registers for two vectors of b and one element of a.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int64_t kTileRows = 12;
#else
constexpr int64_t kTileRows = 6;
#endif
constexpr int64_t kTileCols = 2 * kLanes;

constexpr int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

/// Rows that lie in panels of kTileCols columns (pack_panels), as left operand: the next kTileCols elements of each row
/// stand `panel_step` floats further on.
struct PanelRows {
  const float* rows;
  int64_t panel_step;
};

/// c[r][j] (+)= sum over k < depth of a[r * kRowStep + k * kDepthStep] * b[k * kTileCols + j], for kTileRows rows and
/// kVectors vectors of columns; c has rows of c_stride floats. With kPanel > 0, the next kPanel elements of a stand
/// panel_step floats behind the first.
template <int64_t kRowStep, int64_t kDepthStep, bool kAccumulate, int kVectors, int64_t kPanel>
HWY_INLINE void sum_tile(int64_t depth, const float* HWY_RESTRICT a, int64_t panel_step, const float* HWY_RESTRICT b,
                         float* HWY_RESTRICT c, int64_t c_stride) {
  const FloatTag d;
  FloatVec sum[kTileRows][kVectors];
#pragma GCC unroll 12
  for (int64_t r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      sum[r][v] = kAccumulate ? hn::LoadU(d, c + r * c_stride + v * kLanes) : hn::Zero(d);
    }
  }
  while (depth > 0) {
    const int64_t count = kPanel == 0 ? depth : HWY_MIN(depth, kPanel);
    const float* HWY_RESTRICT x = a;
    for (int64_t k = 0; k < count; ++k, x += kDepthStep, b += kTileCols) {
      FloatVec columns[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) columns[v] = hn::Load(d, b + v * kLanes);
#pragma GCC unroll 12
      for (int64_t r = 0; r < kTileRows; ++r) {
        const FloatVec element = hn::Set(d, x[r * kRowStep]);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::MulAdd(element, columns[v], sum[r][v]);
      }
    }
    a += panel_step;
    depth -= count;
  }
#pragma GCC unroll 12
  for (int64_t r = 0; r < kTileRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[r][v], d, c + r * c_stride + v * kLanes);
  }
}

/// c[r][j] (+)= sum over k < depth of a[r * kRowStep + k * kDepthStep] * b[k * kTileCols + j], for one tile.
template <int64_t kRowStep, int64_t kDepthStep, bool kAccumulate>
HWY_INLINE void tile_product(int64_t depth, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b,
                             float* HWY_RESTRICT c, int64_t c_stride) {
  sum_tile<kRowStep, kDepthStep, kAccumulate, 2, 0>(depth, a, 0, b, c, c_stride);
}

/// c[r][j] = sum over k < depth of a[r][k] * b[k * kTileCols + j], for the first `columns` columns of a tile and maybe
/// more.
HWY_INLINE void tile_product(int64_t depth, const PanelRows& a, const float* HWY_RESTRICT b, int64_t columns,
                             float* HWY_RESTRICT c, int64_t c_stride) {
  if (columns > kLanes) {
    sum_tile<kTileCols, 1, false, 2, kTileCols>(depth, a.rows, a.panel_step, b, c, c_stride);
  } else {
    sum_tile<kTileCols, 1, false, 1, kTileCols>(depth, a.rows, a.panel_step, b, c, c_stride);
  }
}

/// Asks for a row that is needed soon, in L2: L1 has few places for rows that lie a round number of lines apart.
HWY_INLINE void fetch_row(const float* row, int64_t columns) {
  for (int64_t c = 0; c < columns; c += 16) __builtin_prefetch(row + c, 0, 2);
}

/// Rows [count, columns] of the given stride, transposed into groups of kTileCols rows: out[group][column][row in
/// group]; behind the last row stands that row again.
HWY_INLINE void pack_transposed(const float* HWY_RESTRICT rows, int64_t stride, int64_t count, int64_t columns,
                                float* HWY_RESTRICT out) {
  constexpr int64_t kFetchAhead = 2 * kTileCols;
  const int64_t whole = columns / 4 * 4;
  for (int64_t first = 0; first < count; first += kTileCols, out += columns * kTileCols) {
    const float* row[kTileCols];
    for (int64_t r = 0; r < kTileCols; ++r) row[r] = rows + HWY_MIN(first + r, count - 1) * stride;
    for (int64_t r = 0; r < kTileCols; r += kLanes) {
      for (int64_t c = 0; c < whole; c += 4) {
        if (c % 16 == 0) {
          for (int64_t i = 0; i < kLanes; ++i) __builtin_prefetch(row[r + i] + kFetchAhead * stride + c, 0, 2);
        }
        transpose_strip(row + r, c, out + c * kTileCols + r, kTileCols);
      }
    }
    for (int64_t c = whole; c < columns; ++c) {
      for (int64_t r = 0; r < kTileCols; ++r) out[c * kTileCols + r] = row[r][c];
    }
  }
}

/// Rows [count, columns] of the given stride, times `scale`, as panels of kTileCols columns: out[panel][row][column in
/// panel], each panel padded_rows high; columns and rows behind the end are zeros.
HWY_INLINE void pack_panels(const float* HWY_RESTRICT rows, int64_t stride, int64_t count, int64_t padded_rows,
                            int64_t columns, float scale, float* HWY_RESTRICT out) {
  constexpr int64_t kFetchAhead = 16;
  const FloatTag d;
  const FloatVec factor = hn::Set(d, scale);
  const int64_t whole = columns / kTileCols * kTileCols;
  const int64_t panel_floats = padded_rows * kTileCols;
  for (int64_t r = 0; r < count; ++r) {
    const float* HWY_RESTRICT from = rows + r * stride;
    float* HWY_RESTRICT to = out + r * kTileCols;
    for (int64_t c = 0; c < whole; c += kTileCols, to += panel_floats) {
      fetch_row(from + kFetchAhead * stride + c, kTileCols);
      hn::Store(hn::Mul(factor, hn::LoadU(d, from + c)), d, to);
      hn::Store(hn::Mul(factor, hn::LoadU(d, from + c + kLanes)), d, to + kLanes);
    }
    for (int64_t j = whole; j < round_up(columns, kTileCols); ++j) to[j - whole] = j < columns ? scale * from[j] : 0.0f;
  }
  for (int64_t c = 0; c < columns; c += kTileCols, out += panel_floats) {
    std::fill(out + count * kTileCols, out + panel_floats, 0.0f);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
