#include "sesame/word_vectors/train/compat_step.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/word_vectors/train/compat_step.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE float dot(const float* a, const float* b, int64_t stride) {
  const FloatTag d;
  FloatVec even = hn::Zero(d), odd = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * kLanes <= stride; i += 2 * kLanes) {
    even = hn::MulAdd(hn::Load(d, a + i), hn::Load(d, b + i), even);
    odd = hn::MulAdd(hn::Load(d, a + i + kLanes), hn::Load(d, b + i + kLanes), odd);
  }
  for (; i < stride; i += kLanes) even = hn::MulAdd(hn::Load(d, a + i), hn::Load(d, b + i), even);
  return sum_of(hn::Add(even, odd));
}

/// (label - sigmoid(score)) * rate, or false where the target is left out.
HWY_INLINE bool gradient_of(const CompatTarget& target, float rate, VectorLoss loss, const CompatSigmoid& sigmoid,
                            float& gradient) {
  constexpr float kLimit = CompatSigmoid::kLimit;
  if (loss == VectorLoss::hierarchical_softmax && !(target.score > -kLimit && target.score < kLimit)) return false;
  if (target.score > kLimit) {
    gradient = (target.label - 1) * rate;
  } else if (target.score >= -kLimit) {
    gradient = (target.label - sigmoid(target.score)) * rate;
  } else {
    gradient = target.label * rate;
  }
  return true;
}

void step(std::span<CompatTarget> targets, const float* hidden, float* error, int64_t stride, float rate,
          VectorLoss loss, const CompatSigmoid& sigmoid) {
  const FloatTag d;
  for (CompatTarget& target : targets) {
    target.score = dot(hidden, target.row, stride);
    float gradient = 0;
    if (!gradient_of(target, rate, loss, sigmoid, gradient)) continue;
    const FloatVec factor = hn::Set(d, gradient);
    for (int64_t i = 0; i < stride; i += kLanes) {
      const FloatVec row = hn::Load(d, target.row + i);
      hn::Store(hn::MulAdd(factor, row, hn::Load(d, error + i)), d, error + i);
      hn::Store(hn::MulAdd(factor, hn::Load(d, hidden + i), row), d, target.row + i);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {

HWY_EXPORT(step);

void compat_step(std::span<CompatTarget> targets, const float* hidden, float* error, int64_t stride, float rate,
                 VectorLoss loss, const CompatSigmoid& sigmoid) {
  HWY_DYNAMIC_DISPATCH(step)(targets, hidden, error, stride, rate, loss, sigmoid);
}

}  // namespace sesame
#endif  // HWY_ONCE
