#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/kernels.h"
#include "sesame/base/error.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/rope.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

/// Turns the pairs (first[j], second[j]) by angles with these cosines and sines; `to` and `from` may be the same.
HWY_INLINE void rotate_head(const float* from, float* to, const float* cosines, const float* sines, int64_t half) {
  const FloatTag d;
  for (int64_t j = 0; j < half; j += kLanes) {
    const int64_t left = half - j;
    const bool whole = left >= kLanes;
    const FloatVec first = whole ? hn::LoadU(d, from + j) : load_first(from + j, left);
    const FloatVec second = whole ? hn::LoadU(d, from + half + j) : load_first(from + half + j, left);
    const FloatVec c = whole ? hn::LoadU(d, cosines + j) : load_first(cosines + j, left);
    const FloatVec s = whole ? hn::LoadU(d, sines + j) : load_first(sines + j, left);
    const FloatVec turned_first = hn::NegMulAdd(second, s, hn::Mul(first, c));
    const FloatVec turned_second = hn::MulAdd(first, s, hn::Mul(second, c));
    if (whole) {
      hn::StoreU(turned_first, d, to + j);
      hn::StoreU(turned_second, d, to + half + j);
    } else {
      store_first(turned_first, to + j, left);
      store_first(turned_second, to + half + j, left);
    }
  }
}

void rope(const KernelCall& call) {
  const auto& attributes = call.attributes_as<RopeAttributes>();
  const int64_t batch = call.in_shape(0)[0], time = call.in_shape(0)[1], width = call.in_shape(0)[2];
  const int64_t half = attributes.head_dim / 2, rotated = attributes.heads * attributes.head_dim;
  const float* x = call.in<float>(0);  // [batch, time, width]
  float* y = call.out<float>(0);
  const int64_t start = *call.in<int32_t>(1);
  if (start < 0) fail(fmt::format("rope: the first position is {}; it must be 0 or more", start));
  float* cosines = reinterpret_cast<float*>(call.workspace);  // [time, half]
  float* sines = cosines + time * half;

  run_blocks(*call.threads, time, 16, [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t j = 0; j < half; ++j) {
      const double exponent = -2.0 * static_cast<double>(j) / static_cast<double>(attributes.head_dim);
      const double frequency = std::pow(attributes.theta, exponent) / attributes.scaling;
      for (int64_t t = begin; t < end; ++t) {
        const double angle = static_cast<double>(start + t) * frequency;
        cosines[t * half + j] = static_cast<float>(std::cos(angle));
        sines[t * half + j] = static_cast<float>(attributes.inverse ? -std::sin(angle) : std::sin(angle));
      }
    }
  });
  run_blocks(*call.threads, batch * time, rows_per_block(width), [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x + row * width;
      float* to = y + row * width;
      const int64_t t = row % time;
      for (int64_t head = 0; head < rotated; head += attributes.head_dim) {
        rotate_head(from + head, to + head, cosines + t * half, sines + t * half, half);
      }
      if (from != to) std::copy(from + rotated, from + width, to + rotated);
    }
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(rope);

size_t rope_workspace(const Node& node, std::span<const Type> inputs, int) {
  return static_cast<size_t>(inputs[0].shape[1] * node.attributes_as<RopeAttributes>().head_dim) * sizeof(float);
}

}  // namespace

const Kernel cpu_rope = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(rope)(call); }, rope_workspace};

}  // namespace sesame
#endif  // HWY_ONCE
