#include <algorithm>
#include <cstdint>
#include <span>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/activation.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/row_partials-inl.h"
#include "sesame/simd/math-inl.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

constexpr float kTwiceGeluSlope = 1.5957691216057308f;  // 2 sqrt(2 / pi)
constexpr float kGeluCubic = 0.044715f;

/// 0.5 (1 + tanh(z)) = sigmoid(2 z) with z = sqrt(2 / pi) (u + 0.044715 u^3), so that gelu(u) = u times this.
HWY_INLINE FloatVec gelu_gate(FloatVec u) {
  const FloatTag d;
  const FloatVec cubic =
      hn::MulAdd(hn::Set(d, kTwiceGeluSlope * kGeluCubic), hn::Mul(u, u), hn::Set(d, kTwiceGeluSlope));
  return Sigmoid(d, hn::Mul(u, cubic));
}

HWY_INLINE FloatVec gelu_derivative(FloatVec u) {
  const FloatTag d;
  const FloatVec gate = gelu_gate(u);
  const FloatVec slope =
      hn::MulAdd(hn::Set(d, 3 * kTwiceGeluSlope * kGeluCubic), hn::Mul(u, u), hn::Set(d, kTwiceGeluSlope));
  const FloatVec rest = hn::Mul(gate, hn::Sub(hn::Set(d, 1.0f), gate));
  return hn::MulAdd(hn::Mul(u, rest), slope, gate);
}

void bias_gelu(const KernelCall& call) {
  const int64_t width = call.in_shape(0)[-1], rows = call.inputs[0].elements() / width;
  const float* x = call.in<float>(0);  // [rows, width]
  const float* bias = call.in<float>(1);
  float* y = call.out<float>(0);
  run_blocks(*call.threads, rows, rows_per_block(width), [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t row = begin; row < end; ++row) {
      map(
          width, y + row * width,
          [](FloatVec value, FloatVec b) HWY_ATTR {
            const FloatVec u = hn::Add(value, b);
            return hn::Mul(u, gelu_gate(u));
          },
          x + row * width, bias);
    }
  });
}

void bias_gelu_grad(const KernelCall& call) {
  const int64_t width = call.in_shape(0)[-1], rows = call.inputs[0].elements() / width;
  const float* x = call.in<float>(0);  // [rows, width]
  const float* bias = call.in<float>(1);
  const float* dy = call.in<float>(2);
  float* dx = call.out<float>(0);
  const RowParts parts(rows, width);
  float* partials = reinterpret_cast<float*>(call.workspace);  // [parts, width]
  call.threads->run(parts.parts, [&](int64_t part, int) HWY_ATTR {
    float* dbias = partials + part * width;
    std::fill_n(dbias, width, 0.0f);
    for (int64_t row = parts.begin(part); row < parts.begin(part + 1); ++row) {
      float* to = dx + row * width;
      map(
          width, to,
          [](FloatVec value, FloatVec b, FloatVec grad)
              HWY_ATTR { return hn::Mul(grad, gelu_derivative(hn::Add(value, b))); },
          x + row * width, bias, dy + row * width);
      map(
          width, dbias, [](FloatVec sum, FloatVec grad) HWY_ATTR { return hn::Add(sum, grad); },
          static_cast<const float*>(dbias), static_cast<const float*>(to));
    }
  });
  add_partials(*call.threads, partials, parts.parts, width, width, call.out<float>(1));
}

void swiglu(const KernelCall& call) {
  const int64_t width = call.out_shape(0)[-1], rows = call.outputs[0].elements() / width;
  const float* x = call.in<float>(0);  // [rows, {gate, up}, width]
  float* y = call.out<float>(0);       // [rows, width]
  run_blocks(*call.threads, rows, rows_per_block(width), [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t row = begin; row < end; ++row) {
      const float* gates = x + row * 2 * width;
      map(
          width, y + row * width,
          [](FloatVec gate, FloatVec up) HWY_ATTR { return hn::Mul(hn::Mul(gate, Sigmoid(FloatTag(), gate)), up); },
          gates, gates + width);
    }
  });
}

void swiglu_grad(const KernelCall& call) {
  const int64_t width = call.in_shape(1)[-1], rows = call.inputs[1].elements() / width;
  const float* x = call.in<float>(0);   // [rows, {gate, up}, width]
  const float* dy = call.in<float>(1);  // [rows, width]
  float* dx = call.out<float>(0);       // may be x
  run_blocks(*call.threads, rows, rows_per_block(2 * width), [&](int64_t begin, int64_t end) HWY_ATTR {
    const FloatTag d;
    const FloatVec one = hn::Set(d, 1.0f);
    for (int64_t row = begin; row < end; ++row) {
      const float* gates = x + row * 2 * width;
      float* dgates = dx + row * 2 * width;
      for (int64_t i = 0; i < width; i += kLanes) {
        const int64_t left = width - i;
        const bool whole = left >= kLanes;
        const FloatVec gate = whole ? hn::LoadU(d, gates + i) : load_first(gates + i, left);
        const FloatVec up = whole ? hn::LoadU(d, gates + width + i) : load_first(gates + width + i, left);
        const FloatVec grad = whole ? hn::LoadU(d, dy + row * width + i) : load_first(dy + row * width + i, left);
        const FloatVec s = Sigmoid(d, gate);
        const FloatVec silu = hn::Mul(gate, s);
        const FloatVec dgate = hn::Mul(hn::Mul(grad, up), hn::MulAdd(silu, hn::Sub(one, s), s));
        const FloatVec dup = hn::Mul(grad, silu);
        if (whole) {
          hn::StoreU(dgate, d, dgates + i);
          hn::StoreU(dup, d, dgates + width + i);
        } else {
          store_first(dgate, dgates + i, left);
          store_first(dup, dgates + width + i, left);
        }
      }
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

HWY_EXPORT(bias_gelu);
HWY_EXPORT(bias_gelu_grad);
HWY_EXPORT(swiglu);
HWY_EXPORT(swiglu_grad);

size_t bias_workspace(const Node&, std::span<const Type> inputs, int) {
  const int64_t width = inputs[0].shape[-1];
  const RowParts parts(inputs[0].shape.elements() / width, width);
  return static_cast<size_t>(parts.parts * width) * sizeof(float);
}

}  // namespace

const Kernel cpu_bias_gelu = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(bias_gelu)(call); }};
const Kernel cpu_bias_gelu_grad = {[](const KernelCall& call) {
                                     HWY_DYNAMIC_DISPATCH(bias_gelu_grad)
                                     (call);
                                   },
                                   bias_workspace};
const Kernel cpu_swiglu = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(swiglu)(call); }};
const Kernel cpu_swiglu_grad = {[](const KernelCall& call) { HWY_DYNAMIC_DISPATCH(swiglu_grad)(call); }};

}  // namespace sesame
#endif  // HWY_ONCE
