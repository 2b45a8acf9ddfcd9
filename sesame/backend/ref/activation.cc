#include <cmath>
#include <numbers>

#include "sesame/backend/ref/ref_table.h"

namespace sesame::ref {
namespace {

constexpr double kCubic = 0.044715;
const double kGeluScale = std::sqrt(2 / std::numbers::pi);

/// Hendrycks and Gimpel 2016, the tanh form.
double gelu(double x) { return 0.5 * x * (1 + std::tanh(kGeluScale * (x + kCubic * x * x * x))); }

double gelu_derivative(double x) {
  const double t = std::tanh(kGeluScale * (x + kCubic * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * kGeluScale * (1 + 3 * kCubic * x * x);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double silu(double x) { return x * sigmoid(x); }

double silu_derivative(double x) {
  const double s = sigmoid(x);
  return s + x * s * (1 - s);
}

// x, bias -> y
template <typename T>
void bias_gelu(const KernelCall& call) {
  const int64_t columns = call.in_shape(1).elements();
  const T* x = call.in<T>(0);
  const T* bias = call.in<T>(1);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i)
    y[i] = static_cast<T>(gelu(double{x[i]} + bias[i % columns]));
}

// x, bias, dy -> dx, dbias
template <typename T>
void bias_gelu_grad(const KernelCall& call) {
  const int64_t columns = call.in_shape(1).elements();
  const int64_t rows = call.in_shape(0).elements() / columns;
  const T* x = call.in<T>(0);
  const T* bias = call.in<T>(1);
  const T* dy = call.in<T>(2);
  for (int64_t c = 0; c < columns; ++c) {
    double sum = 0;
    for (int64_t r = 0; r < rows; ++r) {
      const int64_t i = r * columns + c;
      const double dx = dy[i] * gelu_derivative(double{x[i]} + bias[c]);
      sum += dx;
      call.out<T>(0)[i] = static_cast<T>(dx);
    }
    call.out<T>(1)[c] = static_cast<T>(sum);
  }
}

// x [..., 2I], gate first -> y [..., I]
template <typename T>
void swiglu(const KernelCall& call) {
  const int64_t columns = call.out_shape(0)[-1];
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i) {
    const T* gate = call.in<T>(0) + i / columns * 2 * columns + i % columns;
    y[i] = static_cast<T>(silu(*gate) * gate[columns]);
  }
}

// x [..., 2I], dy [..., I] -> dx [..., 2I]
template <typename T>
void swiglu_grad(const KernelCall& call) {
  const int64_t columns = call.in_shape(1)[-1];
  const T* dy = call.in<T>(1);
  for (int64_t i = 0; i < call.inputs[1].elements(); ++i) {
    const int64_t at = i / columns * 2 * columns + i % columns;
    const double gate = call.in<T>(0)[at];
    const double up = call.in<T>(0)[at + columns];
    call.out<T>(0)[at] = static_cast<T>(dy[i] * up * silu_derivative(gate));
    call.out<T>(0)[at + columns] = static_cast<T>(dy[i] * silu(gate));
  }
}

template <typename T>
void add_floating(RefTable& table) {
  table.set(Op::bias_gelu, kDTypeOf<T>, bias_gelu<T>);
  table.set(Op::bias_gelu_grad, kDTypeOf<T>, bias_gelu_grad<T>);
  table.set(Op::swiglu, kDTypeOf<T>, swiglu<T>);
  table.set(Op::swiglu_grad, kDTypeOf<T>, swiglu_grad<T>);
}

}  // namespace

void add_activation_kernels(RefTable& table) {
  add_floating<float>(table);
  add_floating<double>(table);
}

}  // namespace sesame::ref
