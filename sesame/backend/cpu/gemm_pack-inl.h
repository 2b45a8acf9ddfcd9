// Copies of blocks of A and B in the order in which multiply_tile reads them. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_GEMM_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_GEMM_PACK_INL_H_
#undef SESAME_BACKEND_CPU_GEMM_PACK_INL_H_
#else
#define SESAME_BACKEND_CPU_GEMM_PACK_INL_H_
#endif

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "sesame/backend/cpu/gemm.h"
#include "sesame/backend/cpu/gemm_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

HWY_INLINE void transpose_strip(const float* const* rows, int64_t offset, float* out, int64_t stride) {
  for (int64_t c = 0; c < 4; ++c) out[c * stride] = rows[0][offset + c];
}

#else

/// Four floats of each of kLanes rows, rows r, r + 4, r + 8, ... in one vector: what a transposition within 128-bit
/// blocks turns into columns.
template <class D>
HWY_INLINE hn::Vec<D> load_every_fourth_row(D d, const float* const* rows, int64_t offset) {
  if constexpr (hn::MaxLanes(D()) == 4) {
    return hn::LoadU(d, rows[0] + offset);
  } else {
    const hn::Half<D> half;
    return hn::Combine(d, load_every_fourth_row(half, rows + hn::MaxLanes(half), offset),
                       load_every_fourth_row(half, rows, offset));
  }
}

/// out[c * stride + r] = rows[r][offset + c] for r < kLanes, c < 4; the stores go in the order of c.
HWY_INLINE void transpose_strip(const float* const* rows, int64_t offset, float* out, int64_t stride) {
  const FloatTag d;
  const hn::RepartitionToWide<FloatTag> wide;
  const FloatVec r0 = load_every_fourth_row(d, rows, offset);
  const FloatVec r1 = load_every_fourth_row(d, rows + 1, offset);
  const FloatVec r2 = load_every_fourth_row(d, rows + 2, offset);
  const FloatVec r3 = load_every_fourth_row(d, rows + 3, offset);
  const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d, r0, r1));
  const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d, r2, r3));
  const auto high01 = hn::BitCast(wide, hn::InterleaveUpper(d, r0, r1));
  const auto high23 = hn::BitCast(wide, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, low01, low23)), d, out);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, low01, low23)), d, out + stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(wide, high01, high23)), d, out + 2 * stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(wide, high01, high23)), d, out + 3 * stride);
}

#endif

/// Floats in a cache line; what is wrong for some processor costs it a few prefetches.
constexpr int64_t kLineFloats = 16;

/// out[p * stride + r] = source[r * ld + p] for r < rows, p < k, with rows <= stride; where stride leaves room, vectors
/// are filled up with the last row. Up to kLanes floats behind the end of out may be written.
HWY_INLINE void pack_transposed(const float* source, int64_t ld, int64_t rows, int64_t k, float* out, int64_t stride) {
  const float* row[std::max(kTileColumns, (kTileRows + kLanes - 1) / kLanes * kLanes)];
  const int64_t strips = (rows + kLanes - 1) / kLanes;
  for (int64_t r = 0; r < strips * kLanes; ++r) row[r] = source + std::min(r, rows - 1) * ld;
  const int64_t whole = k / 4 * 4;
  // Only the last strip may write behind its column, into the next column's first strip, which therefore comes later.
  for (int64_t s = strips - 1; s >= 0; --s) {
    const int64_t r = s * kLanes;
    for (int64_t p = 0; p < whole; p += 4) {
      if (p % kLineFloats == 0) {
        for (int64_t i = 0; i < kLanes; ++i) hwy::Prefetch(row[r + i] + p + 3 * kLineFloats);
      }
      transpose_strip(row + r, p, out + p * stride + r, stride);
    }
  }
  const int64_t filled = std::min(strips * kLanes, stride);
  for (int64_t p = whole; p < k; ++p) {
    for (int64_t r = 0; r < filled; ++r) out[p * stride + r] = row[r][p];
  }
}

/// out[p * rows + r] = source[p * ld + r] for r < rows, p < k. Up to kLanes floats behind the end of out may be
/// written.
HWY_INLINE void pack_columns(const float* source, int64_t ld, int64_t rows, int64_t k, float* out) {
  const FloatTag d;
  for (int64_t p = 0; p < k; ++p, source += ld, out += rows) {
    int64_t r = 0;
    for (; r + kLanes <= rows; r += kLanes) hn::StoreU(hn::LoadU(d, source + r), d, out + r);
    if (r < rows) hn::StoreU(load_first(source + r, rows - r), d, out + r);
  }
}

/// Rows [row, row + rows) and columns [p, p + k) of op(A) as [k, rows].
HWY_INLINE void pack_a_panel(const Gemm& gemm, const float* a, int64_t row, int64_t rows, int64_t p, int64_t k,
                             float* out) {
  if (gemm.transpose_a) {
    pack_columns(a + p * gemm.lda + row, gemm.lda, rows, k, out);
  } else {
    pack_transposed(a + row * gemm.lda + p, gemm.lda, rows, k, out, rows);
  }
}

/// What pack_a_panel will read, part `part` of `parts`, to be fetched while a tile of that many rows is computed.
HWY_INLINE TilePrefetch prefetch_a_panel(const Gemm& gemm, const float* a, int64_t row, int64_t rows, int64_t p,
                                         int64_t k, int64_t part, int64_t parts) {
  const int64_t first = p + k * part / parts;
  const int64_t count = k * (part + 1) / parts - k * part / parts;
  if (!gemm.transpose_a)
    return {a + row * gemm.lda + first, gemm.lda, kLineFloats, (count + kLineFloats - 1) / kLineFloats};
  const int64_t lines = (count + rows - 1) / rows;
  // The line of a row's first element was mostly fetched for the panel before.
  return {a + first * gemm.lda + row + rows - 1, lines * gemm.lda, gemm.lda, lines};
}

/// kTileColumns or fewer columns of a B that is stored as [k, n] as [k, kTileColumns], zeros behind.
HWY_INLINE void pack_b_edge(const float* source, int64_t ld, int64_t columns, int64_t k, float* out) {
  for (int64_t p = 0; p < k; ++p, source += ld, out += kTileColumns) {
    std::memcpy(out, source, static_cast<size_t>(columns) * sizeof(float));
    std::fill(out + columns, out + kTileColumns, 0.0F);
  }
}

/// Rows [p, p + k) and columns [column, column + columns) of op(B) as panels of kTileColumns columns, each [k,
/// kTileColumns].
HWY_INLINE void pack_b(const Gemm& gemm, const float* b, int64_t p, int64_t k, int64_t column, int64_t columns,
                       float* out) {
  const FloatTag d;
  const int64_t panel_floats = k * kTileColumns;
  if (gemm.transpose_b) {
    for (int64_t j = 0; j < columns; j += kTileColumns, out += panel_floats) {
      pack_transposed(b + (column + j) * gemm.ldb + p, gemm.ldb, std::min(kTileColumns, columns - j), k, out,
                      kTileColumns);
    }
    return;
  }
  // A few rows at a time: long reads from each row and yet whole lines written to each panel.
  constexpr int64_t kRowsAtATime = 8;
  const int64_t whole = columns / kTileColumns * kTileColumns;
  const float* source = b + p * gemm.ldb + column;
  for (int64_t q = 0; q < k; q += kRowsAtATime) {
    const int64_t rows = std::min(kRowsAtATime, k - q);
    float* to = out + q * kTileColumns;
    for (int64_t j = 0; j < whole; j += kTileColumns, to += panel_floats) {
      for (int64_t r = 0; r < rows; ++r) {
        const float* from = source + (q + r) * gemm.ldb + j;
        for (int64_t f = 0; f < kTileColumns; f += kLineFloats) hwy::Prefetch(from + kRowsAtATime * gemm.ldb + f);
        hn::Store(hn::LoadU(d, from), d, to + r * kTileColumns);
        hn::Store(hn::LoadU(d, from + kLanes), d, to + r * kTileColumns + kLanes);
      }
    }
  }
  if (whole < columns) {
    pack_b_edge(source + whole, gemm.ldb, columns - whole, k, out + whole / kTileColumns * panel_floats);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_GEMM_PACK_INL_H_
