#include <algorithm>
#include <cmath>

#include "sesame/backend/ref/ref_table.h"

namespace sesame::ref {
namespace {

template <typename T>
void sum_squares(const KernelCall& call) {
  const T* x = call.in<T>(0);
  double sum = 0;
  for (int64_t i = 0; i < call.inputs[0].elements(); ++i) sum += double{x[i]} * x[i];
  *call.out<double>(0) = sum;
}

// parameters, gradients, m, v, hyper = {learning rate, 1 - beta1^t, 1 - beta2^t}, [squared gradient norm]
// -> parameters', m', v'. Loshchilov and Hutter 2019, algorithm 2.
template <typename T>
void adamw(const KernelCall& call) {
  const auto& attributes = call.attributes_as<AdamWAttributes>();
  const double learning_rate = call.in<T>(4)[0];
  const double correction1 = call.in<T>(4)[1];
  const double correction2 = call.in<T>(4)[2];
  double factor = 1;
  if (attributes.max_grad_norm > 0 && call.inputs.size() > 5) {
    factor = std::min(1.0, attributes.max_grad_norm / (std::sqrt(*call.in<double>(5)) + 1e-6));
  }
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i) {
    const double p = call.in<T>(0)[i];
    const double g = call.in<T>(1)[i] * factor;
    const double m = attributes.beta1 * call.in<T>(2)[i] + (1 - attributes.beta1) * g;
    const double v = attributes.beta2 * call.in<T>(3)[i] + (1 - attributes.beta2) * g * g;
    const double decay = i < attributes.decayed ? attributes.weight_decay : 0.0;
    const double step = m / correction1 / (std::sqrt(v / correction2) + attributes.epsilon) + decay * p;
    call.out<T>(0)[i] = static_cast<T>(p - learning_rate * step);
    call.out<T>(1)[i] = static_cast<T>(m);
    call.out<T>(2)[i] = static_cast<T>(v);
  }
}

template <typename T>
void add_floating(RefTable& table) {
  table.set(Op::sum_squares, kDTypeOf<T>, sum_squares<T>);
  table.set(Op::adamw, kDTypeOf<T>, adamw<T>);
}

}  // namespace

void add_optimizer_kernels(RefTable& table) {
  add_floating<float>(table);
  add_floating<double>(table);
}

}  // namespace sesame::ref
