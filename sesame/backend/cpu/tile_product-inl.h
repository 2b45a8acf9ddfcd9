// Products of small matrices on packed tiles, for attention: one register block of kTileRows x kTileCols, and the
// packing that feeds it. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
#undef SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
#else
#define SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "sesame/backend/cpu/simd-inl.h"

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

/// c[r][j] (+)= sum over k < depth of a[r * kRowStep + k * kDepthStep] * b[k * kTileCols + j], for one tile; c has rows
/// of c_stride floats.
template <int64_t kRowStep, int64_t kDepthStep, bool kAccumulate>
HWY_INLINE void tile_product(int64_t depth, const float* HWY_RESTRICT a, const float* HWY_RESTRICT b,
                             float* HWY_RESTRICT c, int64_t c_stride) {
  const FloatTag d;
  FloatVec left[kTileRows];
  FloatVec right[kTileRows];
#pragma GCC unroll 12
  for (int64_t r = 0; r < kTileRows; ++r) {
    left[r] = kAccumulate ? hn::LoadU(d, c + r * c_stride) : hn::Zero(d);
    right[r] = kAccumulate ? hn::LoadU(d, c + r * c_stride + kLanes) : hn::Zero(d);
  }
  for (int64_t k = 0; k < depth; ++k) {
    const FloatVec b0 = hn::Load(d, b + k * kTileCols);
    const FloatVec b1 = hn::Load(d, b + k * kTileCols + kLanes);
#pragma GCC unroll 12
    for (int64_t r = 0; r < kTileRows; ++r) {
      const FloatVec x = hn::Set(d, a[r * kRowStep + k * kDepthStep]);
      left[r] = hn::MulAdd(x, b0, left[r]);
      right[r] = hn::MulAdd(x, b1, right[r]);
    }
  }
#pragma GCC unroll 12
  for (int64_t r = 0; r < kTileRows; ++r) {
    hn::StoreU(left[r], d, c + r * c_stride);
    hn::StoreU(right[r], d, c + r * c_stride + kLanes);
  }
}

/// Writes out[c * out_stride + r] = scale * rows[r * stride + c] for 4 rows and all columns.
HWY_INLINE void transpose_4(const float* HWY_RESTRICT rows, int64_t stride, int64_t columns, float scale,
                            float* HWY_RESTRICT out, int64_t out_stride) {
  int64_t c = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<uint64_t, decltype(d)> pairs;
  const auto factor = hn::Set(d, scale);
  for (; c + 4 <= columns; c += 4) {
    const auto r0 = hn::Mul(factor, hn::LoadU(d, rows + c));
    const auto r1 = hn::Mul(factor, hn::LoadU(d, rows + stride + c));
    const auto r2 = hn::Mul(factor, hn::LoadU(d, rows + 2 * stride + c));
    const auto r3 = hn::Mul(factor, hn::LoadU(d, rows + 3 * stride + c));
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
    const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
    const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
    float* HWY_RESTRICT to = out + c * out_stride;
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + out_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * out_stride);
    hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * out_stride);
  }
#endif
  for (; c < columns; ++c) {
    for (int64_t r = 0; r < 4; ++r) out[c * out_stride + r] = scale * rows[r * stride + c];
  }
}

/// Rows [count, columns] of the given stride, transposed into groups of kGroup rows: out[group][column][row in group];
/// rows behind count are zeros.
template <int64_t kGroup>
HWY_INLINE void pack_transposed(const float* HWY_RESTRICT rows, int64_t stride, int64_t count, int64_t columns,
                                float scale, float* HWY_RESTRICT out) {
  for (int64_t first = 0; first < count; first += kGroup, out += columns * kGroup) {
    const float* HWY_RESTRICT group = rows + first * stride;
    if (kGroup >= 4 && first + kGroup <= count) {
      for (int64_t r = 0; r + 4 <= kGroup; r += 4) {
        transpose_4(group + r * stride, stride, columns, scale, out + r, kGroup);
      }
      // Where 4 does not divide the group, its last four rows once more: the same values to the same places.
      if (kGroup % 4 != 0) {
        transpose_4(group + (kGroup - 4) * stride, stride, columns, scale, out + kGroup - 4, kGroup);
      }
    } else {
      for (int64_t c = 0; c < columns; ++c) {
        for (int64_t r = 0; r < kGroup; ++r) {
          out[c * kGroup + r] = first + r < count ? scale * group[r * stride + c] : 0.0f;
        }
      }
    }
  }
}

/// Rows [count, columns] of the given stride as panels of kTileCols columns: out[panel][row][column in panel], each
/// panel padded_rows high; columns and rows behind the end are zeros.
HWY_INLINE void pack_panels(const float* HWY_RESTRICT rows, int64_t stride, int64_t count, int64_t padded_rows,
                            int64_t columns, float scale, float* HWY_RESTRICT out) {
  const FloatTag d;
  const FloatVec factor = hn::Set(d, scale);
  for (int64_t first = 0; first < columns; first += kTileCols) {
    const int64_t width = HWY_MIN(kTileCols, columns - first);
    for (int64_t r = 0; r < count; ++r, out += kTileCols) {
      const float* HWY_RESTRICT from = rows + r * stride + first;
      if (width == kTileCols) {
        hn::StoreU(hn::Mul(factor, hn::LoadU(d, from)), d, out);
        hn::StoreU(hn::Mul(factor, hn::LoadU(d, from + kLanes)), d, out + kLanes);
      } else {
        for (int64_t j = 0; j < kTileCols; ++j) out[j] = j < width ? scale * from[j] : 0.0f;
      }
    }
    std::memset(out, 0, static_cast<size_t>((padded_rows - count) * kTileCols) * sizeof(float));
    out += (padded_rows - count) * kTileCols;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_TILE_PRODUCT_INL_H_
