// Transposition of a strip of rows in registers, for packing. Included once per instruction set.

#if defined(SESAME_SIMD_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_SIMD_TRANSPOSE_INL_H_
#undef SESAME_SIMD_TRANSPOSE_INL_H_
#else
#define SESAME_SIMD_TRANSPOSE_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"

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

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_SIMD_TRANSPOSE_INL_H_
