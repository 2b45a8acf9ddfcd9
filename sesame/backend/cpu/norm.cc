#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/norm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/row_partials-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE float sum_row(const float* x, int64_t n) {
  const FloatTag d;
  FloatVec even = hn::Zero(d), odd = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    even = hn::Add(even, hn::LoadU(d, x + i));
    odd = hn::Add(odd, hn::LoadU(d, x + i + kLanes));
  }
  for (; i + kLanes <= n; i += kLanes) even = hn::Add(even, hn::LoadU(d, x + i));
  if (i < n) odd = hn::Add(odd, load_first(x + i, n - i));
  return sum_of(hn::Add(even, odd));
}

/// The sum of (x - mean)^2.
HWY_INLINE float squares_of_row(const float* x, int64_t n, float mean) {
  const FloatTag d;
  const FloatVec centre = hn::Set(d, mean);
  FloatVec even = hn::Zero(d), odd = hn::Zero(d);
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const FloatVec a = hn::Sub(hn::LoadU(d, x + i), centre), b = hn::Sub(hn::LoadU(d, x + i + kLanes), centre);
    even = hn::MulAdd(a, a, even);
    odd = hn::MulAdd(b, b, odd);
  }
  for (; i < n; i += kLanes) {
    const bool whole = i + kLanes <= n;
    FloatVec a = hn::Sub(whole ? hn::LoadU(d, x + i) : load_first(x + i, n - i), centre);
    if (!whole) a = first_or(a, n - i, hn::Zero(d));
    even = hn::MulAdd(a, a, even);
  }
  return sum_of(hn::Add(even, odd));
}

template <bool kCentred>
HWY_INLINE void norm(const KernelCall& call) {
  const int64_t width = call.in_shape(0)[-1], rows = call.inputs[0].elements() / width;
  const float* x = call.in<float>(0);  // [rows, width]
  const float* gain = call.in<float>(1);
  const float* bias = kCentred ? call.in<float>(2) : nullptr;
  float* y = call.out<float>(0);
  float* means = kCentred ? call.out<float>(1) : nullptr;
  float* rstds = call.out<float>(kCentred ? 2 : 1);
  const double epsilon = call.attributes_as<NormAttributes>().epsilon;
  run_blocks(*call.threads, rows, rows_per_block(width), [&](int64_t begin, int64_t end) HWY_ATTR {
    const FloatTag d;
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x + row * width;
      const float mean = kCentred ? sum_row(from, width) / static_cast<float>(width) : 0.0f;
      const double variance = static_cast<double>(squares_of_row(from, width, mean)) / static_cast<double>(width);
      const auto rstd = static_cast<float>(1.0 / std::sqrt(variance + epsilon));
      const FloatVec centre = hn::Set(d, mean), factor = hn::Set(d, rstd);
      if constexpr (kCentred) {
        means[row] = mean;
        map(
            width, y + row * width,
            [=](FloatVec value, FloatVec g, FloatVec b)
                HWY_ATTR { return hn::MulAdd(hn::Mul(hn::Sub(value, centre), factor), g, b); },
            from, gain, bias);
      } else {
        map(
            width, y + row * width,
            [=](FloatVec value, FloatVec g) HWY_ATTR { return hn::Mul(hn::Mul(value, factor), g); }, from, gain);
      }
      rstds[row] = rstd;
    }
  });
}

/// What one row of the gradient sees. With n = (x - mean) rstd and s = dy gain:
/// dx = rstd (s - mean(s) - n mean(s n)), dgain += dy n, dbias += dy; without the centring, mean(s) and dbias fall
/// away.
template <bool kCentred>
HWY_INLINE void norm_grad_row(const float* x, const float* dy, const float* gain, int64_t width, float mean, float rstd,
                              float* dx, float* dgain, float* dbias) {
  const FloatTag d;
  const FloatVec centre = hn::Set(d, mean), factor = hn::Set(d, rstd);
  FloatVec sum = hn::Zero(d), dot = hn::Zero(d);
  const auto gather = [&](FloatVec value, FloatVec grad, FloatVec g) HWY_ATTR {
    const FloatVec normalised = hn::Mul(hn::Sub(value, centre), factor);
    const FloatVec scaled = hn::Mul(grad, g);
    if constexpr (kCentred) sum = hn::Add(sum, scaled);
    dot = hn::MulAdd(scaled, normalised, dot);
    return hn::Mul(grad, normalised);
  };
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    const FloatVec grad = hn::LoadU(d, dy + i);
    const FloatVec to_gain = gather(hn::LoadU(d, x + i), grad, hn::LoadU(d, gain + i));
    hn::StoreU(hn::Add(hn::LoadU(d, dgain + i), to_gain), d, dgain + i);
    if constexpr (kCentred) hn::StoreU(hn::Add(hn::LoadU(d, dbias + i), grad), d, dbias + i);
  }
  if (const int64_t left = width - i; left > 0) {
    const FloatVec grad = load_first(dy + i, left);  // 0 behind the end, so that nothing is added there
    const FloatVec to_gain = gather(load_first(x + i, left), grad, load_first(gain + i, left));
    store_first(hn::Add(load_first(dgain + i, left), to_gain), dgain + i, left);
    if constexpr (kCentred) store_first(hn::Add(load_first(dbias + i, left), grad), dbias + i, left);
  }
  const float share = 1.0f / static_cast<float>(width);
  const FloatVec mean_sum = hn::Set(d, kCentred ? sum_of(sum) * share : 0.0f),
                 mean_dot = hn::Set(d, sum_of(dot) * share);
  map(
      width, dx,
      [=](FloatVec value, FloatVec grad, FloatVec g) HWY_ATTR {
        const FloatVec normalised = hn::Mul(hn::Sub(value, centre), factor);
        return hn::Mul(factor, hn::NegMulAdd(normalised, mean_dot, hn::Sub(hn::Mul(grad, g), mean_sum)));
      },
      x, dy, gain);
}

template <bool kCentred>
HWY_INLINE void norm_grad(const KernelCall& call) {
  const int64_t width = call.in_shape(0)[-1], rows = call.inputs[0].elements() / width;
  const float* x = call.in<float>(0);  // [rows, width]
  const float* gain = call.in<float>(1);
  const float* means = kCentred ? call.in<float>(2) : nullptr;
  const float* rstds = call.in<float>(kCentred ? 3 : 2);
  const float* dy = call.in<float>(kCentred ? 4 : 3);
  float* dx = call.out<float>(0);
  const RowParts parts(rows, width);
  float* partials = reinterpret_cast<float*>(call.workspace);  // [parts, {gain, bias}, width]
  const int64_t stride = (kCentred ? 2 : 1) * width;
  call.threads->run(parts.parts, [&](int64_t part, int) HWY_ATTR {
    float* dgain = partials + part * stride;
    float* dbias = dgain + (kCentred ? width : 0);
    std::fill_n(dgain, stride, 0.0f);
    for (int64_t row = parts.begin(part); row < parts.begin(part + 1); ++row) {
      norm_grad_row<kCentred>(x + row * width, dy + row * width, gain, width, kCentred ? means[row] : 0.0f, rstds[row],
                              dx + row * width, dgain, dbias);
    }
  });
  add_partials(*call.threads, partials, parts.parts, stride, width, call.out<float>(1));
  if constexpr (kCentred) {
    add_partials(*call.threads, partials + width, parts.parts, stride, width, call.out<float>(2));
  }
}

void layer_norm(const KernelCall& call) { norm<true>(call); }
void layer_norm_grad(const KernelCall& call) { norm_grad<true>(call); }
void rms_norm(const KernelCall& call) { norm<false>(call); }
void rms_norm_grad(const KernelCall& call) { norm_grad<false>(call); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(layer_norm);
HWY_EXPORT(layer_norm_grad);
HWY_EXPORT(rms_norm);
HWY_EXPORT(rms_norm_grad);

template <int64_t kParameters>
size_t grad_workspace(const Node&, std::span<const Type> inputs, int) {
  const int64_t width = inputs[0].shape[-1];
  const RowParts parts(inputs[0].shape.elements() / width, width);
  return static_cast<size_t>(parts.parts * kParameters * width) * sizeof(float);
}

}  // namespace

const Kernel cpu_layer_norm = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(layer_norm)(call); }};
const Kernel cpu_layer_norm_grad = {[](const KernelCall& call) {
                                      HWY_DYNAMIC_DISPATCH(layer_norm_grad)
                                      (call);
                                    },
                                    grad_workspace<2>};
const Kernel cpu_rms_norm = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(rms_norm)(call); }};
const Kernel cpu_rms_norm_grad = {[](const KernelCall& call) {
                                    HWY_DYNAMIC_DISPATCH(rms_norm_grad)
                                    (call);
                                  },
                                  grad_workspace<1>};

}  // namespace sesame
#endif  // HWY_ONCE
