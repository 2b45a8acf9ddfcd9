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
#include "sesame/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

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

/// kTileColumns or fewer columns of a B that is stored as [k, n] as [k, kTileColumns], zeros behind.
HWY_INLINE void pack_b_edge(const float* source, int64_t ld, int64_t columns, int64_t k, float* out) {
  for (int64_t p = 0; p < k; ++p, source += ld, out += kTileColumns) {
    std::memcpy(out, source, static_cast<size_t>(columns) * sizeof(float));
    std::fill(out + columns, out + kTileColumns, 0.0F);
  }
}

/// At most kTileColumns columns of op(B) from `column` on, rows [p, p + k), as [k, kTileColumns].
HWY_INLINE void pack_b_panel(const Gemm& gemm, const float* b, int64_t p, int64_t k, int64_t column, int64_t columns,
                             float* out) {
  if (gemm.transpose_b) {
    pack_transposed(b + column * gemm.ldb + p, gemm.ldb, columns, k, out, kTileColumns);
  } else {
    pack_b_edge(b + p * gemm.ldb + column, gemm.ldb, columns, k, out);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_GEMM_PACK_INL_H_
