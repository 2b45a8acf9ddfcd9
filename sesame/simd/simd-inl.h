// Vectors of floats for kernels: the tag, the number of lanes, and loads and stores of fewer lanes
// than a vector has. Included once per instruction set.

#if defined(SESAME_SIMD_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_SIMD_SIMD_INL_H_
#undef SESAME_SIMD_SIMD_INL_H_
#else
#define SESAME_SIMD_SIMD_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::VFromD<FloatTag>;

constexpr int64_t kLanes = HWY_LANES(float);

/// The first n < kLanes floats at p, the other lanes 0. Never reads behind p + n.
HWY_INLINE FloatVec load_first(const float* p, int64_t n) {
  const FloatTag d;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(n)), d, p);
#else
  HWY_ALIGN float lanes[kLanes] = {};
  std::memcpy(lanes, p, static_cast<size_t>(n) * sizeof(float));
  return hn::Load(d, lanes);
#endif
}

/// Writes the first n < kLanes lanes to p and nothing behind them.
HWY_INLINE void store_first(FloatVec v, float* p, int64_t n) {
  const FloatTag d;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(n)), d, p);
#else
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, d, lanes);
  std::memcpy(p, lanes, static_cast<size_t>(n) * sizeof(float));
#endif
}

/// v in its first n < kLanes lanes, `other` in the rest.
HWY_INLINE FloatVec first_or(FloatVec v, int64_t n, FloatVec other) {
  return hn::IfThenElse(hn::FirstN(FloatTag(), static_cast<size_t>(n)), v, other);
}

/// y[i] = f(x[i]...) for i in [0, n): f takes and returns vectors. y may be one of the x.
template <typename F, typename... Inputs>
HWY_INLINE void map(int64_t n, float* y, F f, const Inputs*... x) {
  const FloatTag d;
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const FloatVec first = f(hn::LoadU(d, x + i)...);
    const FloatVec second = f(hn::LoadU(d, x + i + kLanes)...);
    hn::StoreU(first, d, y + i);
    hn::StoreU(second, d, y + i + kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(f(hn::LoadU(d, x + i)...), d, y + i);
  if (i < n) store_first(f(load_first(x + i, n - i)...), y + i, n - i);
}

HWY_INLINE float sum_of(FloatVec v) { return hn::GetLane(hn::SumOfLanes(FloatTag(), v)); }
HWY_INLINE float max_of(FloatVec v) { return hn::GetLane(hn::MaxOfLanes(FloatTag(), v)); }

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_SIMD_SIMD_INL_H_
