// The gradients of per-channel parameters: each part of the rows has its own sums, which are then added in order.
// Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_ROW_PARTIALS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_ROW_PARTIALS_INL_H_
#undef SESAME_BACKEND_CPU_ROW_PARTIALS_INL_H_
#else
#define SESAME_BACKEND_CPU_ROW_PARTIALS_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "sesame/backend/cpu/blocks.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// out[j] = sum over parts of partials[part * stride + j], j in [0, n).
HWY_INLINE void add_partials(ThreadPool& threads, const float* partials, int64_t parts, int64_t stride, int64_t n,
                             float* out) {
  run_blocks(threads, n, 1024, [&](int64_t begin, int64_t end) HWY_ATTR {
    std::copy(partials + begin, partials + end, out + begin);
    for (int64_t part = 1; part < parts; ++part) {
      map(
          end - begin, out + begin, [](FloatVec a, FloatVec b) HWY_ATTR { return hn::Add(a, b); },
          static_cast<const float*>(out + begin), partials + part * stride + begin);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_ROW_PARTIALS_INL_H_
