#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/optimizer.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE double squares_of(const float* x, int64_t n) {
#if HWY_TARGET == HWY_SCALAR
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
#else
  const hn::ScalableTag<double> wide;
  const hn::Rebind<float, decltype(wide)> narrow;
  constexpr int64_t kWideLanes = kLanes / 2;
  auto a = hn::Zero(wide), b = hn::Zero(wide), c = hn::Zero(wide), e = hn::Zero(wide);
  int64_t i = 0;
  for (; i + 4 * kWideLanes <= n; i += 4 * kWideLanes) {
    const auto x0 = hn::PromoteTo(wide, hn::LoadU(narrow, x + i));
    const auto x1 = hn::PromoteTo(wide, hn::LoadU(narrow, x + i + kWideLanes));
    const auto x2 = hn::PromoteTo(wide, hn::LoadU(narrow, x + i + 2 * kWideLanes));
    const auto x3 = hn::PromoteTo(wide, hn::LoadU(narrow, x + i + 3 * kWideLanes));
    a = hn::MulAdd(x0, x0, a);
    b = hn::MulAdd(x1, x1, b);
    c = hn::MulAdd(x2, x2, c);
    e = hn::MulAdd(x3, x3, e);
  }
  double sum = hn::GetLane(hn::SumOfLanes(wide, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return sum;
#endif
}

void sum_squares(const KernelCall& call) {
  const float* x = call.in<float>(0);
  const int64_t n = call.inputs[0].elements();
  auto* partials = reinterpret_cast<double*>(call.workspace);  // one per block
  run_blocks(*call.threads, n, kElementsPerBlock, [&](int64_t begin, int64_t end) HWY_ATTR {
    partials[begin / kElementsPerBlock] = squares_of(x + begin, end - begin);
  });
  double sum = 0;
  for (int64_t block = 0; block * kElementsPerBlock < n; ++block) sum += partials[block];
  *call.out<double>(0) = sum;
}

/// The numbers of one step that all elements share.
struct AdamWFactors {
  float gradient;  // clipping
  float beta1, beta2;
  float first_debias;  // 1 / (1 - beta1^t)
  float second_debias;
  float epsilon;
  float learning_rate;
};

/// Buffers from the same element on; the results may lie where the inputs lie.
struct AdamWBuffers {
  const float *parameters, *gradients, *first, *second;
  float *new_parameters, *new_first, *new_second;
};

HWY_INLINE void adamw_run(const AdamWFactors& factors, float weight_decay, const AdamWBuffers& at, int64_t n) {
  const FloatTag d;
  const FloatVec clip = hn::Set(d, factors.gradient);
  const FloatVec beta1 = hn::Set(d, factors.beta1), rest1 = hn::Set(d, 1 - factors.beta1);
  const FloatVec beta2 = hn::Set(d, factors.beta2), rest2 = hn::Set(d, 1 - factors.beta2);
  const FloatVec debias1 = hn::Set(d, factors.first_debias), debias2 = hn::Set(d, factors.second_debias);
  const FloatVec epsilon = hn::Set(d, factors.epsilon), rate = hn::Set(d, factors.learning_rate);
  const FloatVec decay = hn::Set(d, weight_decay);
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t left = n - i;
    const bool whole = left >= kLanes;
    const FloatVec p = whole ? hn::LoadU(d, at.parameters + i) : load_first(at.parameters + i, left);
    const FloatVec raw = whole ? hn::LoadU(d, at.gradients + i) : load_first(at.gradients + i, left);
    FloatVec m = whole ? hn::LoadU(d, at.first + i) : load_first(at.first + i, left);
    FloatVec v = whole ? hn::LoadU(d, at.second + i) : load_first(at.second + i, left);
    const FloatVec g = hn::Mul(raw, clip);
    m = hn::MulAdd(beta1, m, hn::Mul(rest1, g));
    v = hn::MulAdd(beta2, v, hn::Mul(rest2, hn::Mul(g, g)));
    const FloatVec size = hn::Add(hn::Sqrt(hn::Mul(v, debias2)), epsilon);
    const FloatVec direction = hn::MulAdd(decay, p, hn::Div(hn::Mul(m, debias1), size));
    const FloatVec updated = hn::NegMulAdd(rate, direction, p);
    if (whole) {
      hn::StoreU(updated, d, at.new_parameters + i);
      hn::StoreU(m, d, at.new_first + i);
      hn::StoreU(v, d, at.new_second + i);
    } else {
      store_first(updated, at.new_parameters + i, left);
      store_first(m, at.new_first + i, left);
      store_first(v, at.new_second + i, left);
    }
  }
}

void adamw(const KernelCall& call) {
  const auto& attributes = call.attributes_as<AdamWAttributes>();
  const float* hyper = call.in<float>(4);
  double clip = 1;
  if (call.inputs.size() == 6 && attributes.max_grad_norm > 0) {
    const double ratio = attributes.max_grad_norm / (std::sqrt(*call.in<double>(5)) + 1e-6);
    clip = ratio < 1 ? ratio : 1;
  }
  const AdamWFactors factors = {.gradient = static_cast<float>(clip),
                                .beta1 = static_cast<float>(attributes.beta1),
                                .beta2 = static_cast<float>(attributes.beta2),
                                .first_debias = 1.0f / hyper[1],
                                .second_debias = 1.0f / hyper[2],
                                .epsilon = static_cast<float>(attributes.epsilon),
                                .learning_rate = hyper[0]};
  const auto weight_decay = static_cast<float>(attributes.weight_decay);
  run_blocks(*call.threads, call.inputs[0].elements(), kElementsPerBlock, [&](int64_t begin, int64_t end) HWY_ATTR {
    const auto run = [&](int64_t from, int64_t to, float decay) HWY_ATTR {
      const AdamWBuffers at = {call.in<float>(0) + from, call.in<float>(1) + from,  call.in<float>(2) + from,
                               call.in<float>(3) + from, call.out<float>(0) + from, call.out<float>(1) + from,
                               call.out<float>(2) + from};
      adamw_run(factors, decay, at, to - from);
    };
    const int64_t border = std::clamp(attributes.decayed, begin, end);
    run(begin, border, weight_decay);
    run(border, end, 0.0f);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(sum_squares);
HWY_EXPORT(adamw);

size_t sum_squares_workspace(const Node&, std::span<const Type> inputs, int) {
  return static_cast<size_t>((inputs[0].shape.elements() + kElementsPerBlock - 1) / kElementsPerBlock) * sizeof(double);
}

}  // namespace

const Kernel cpu_sum_squares = {[](const KernelCall& call) {
                                  HWY_DYNAMIC_DISPATCH(sum_squares)
                                  (call);
                                },
                                sum_squares_workspace};
const Kernel cpu_adamw = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(adamw)(call); }};

}  // namespace sesame
#endif  // HWY_ONCE
