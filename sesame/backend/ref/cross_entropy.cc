#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sesame/backend/ref/packed_heads.h"
#include "sesame/backend/ref/ref_table.h"
#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame::ref {
namespace {

/// x [rows, columns], w [classes, columns], targets [rows]: the inputs that all three ops begin with.
template <typename T>
struct Problem {
  int64_t rows;
  int64_t columns;
  int64_t classes;
  const T* x;
  const T* w;
  const int32_t* targets;
  int64_t counted = 0;  // targets >= 0

  explicit Problem(const KernelCall& call)
      : rows(call.in_shape(0)[0]),
        columns(call.in_shape(0)[1]),
        classes(call.in_shape(1)[0]),
        x(call.in<T>(0)),
        w(call.in<T>(1)),
        targets(call.in<int32_t>(2)) {
    for (int64_t n = 0; n < rows; ++n) {
      if (targets[n] >= classes) {
        fail(fmt::format("{}: target {} of row {} is not below {}, the number of classes (in {})",
                         name_of(call.node->op), targets[n], n, classes,
                         call.node->scope.empty() ? "the graph" : call.node->scope));
      }
      counted += targets[n] >= 0 ? 1 : 0;
    }
  }

  [[nodiscard]] double logit(int64_t n, int64_t v) const { return dot(x + n * columns, w + v * columns, columns); }

  [[nodiscard]] double log_sum_exp(int64_t n) const {
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t v = 0; v < classes; ++v) largest = std::max(largest, logit(n, v));
    double sum = 0;
    for (int64_t v = 0; v < classes; ++v) sum += std::exp(logit(n, v) - largest);
    return largest + std::log(sum);
  }

  [[nodiscard]] double loss() const {
    double sum = 0;
    for (int64_t n = 0; n < rows; ++n) {
      if (targets[n] >= 0) sum += log_sum_exp(n) - logit(n, targets[n]);
    }
    return counted == 0 ? 0 : sum / static_cast<double>(counted);
  }

  /// d loss / d logit = (softmax - one_hot(target)) / counted, times `factor`, carried to x and added to dw.
  template <typename Lse>
  void add_gradients(double factor, Lse&& lse, T* dx, T* dw) const {
    for (int64_t i = 0; i < rows * columns; ++i) dx[i] = 0;
    for (int64_t n = 0; n < rows; ++n) {
      if (targets[n] < 0) continue;
      const double row_lse = lse(n);
      for (int64_t v = 0; v < classes; ++v) {
        const double softmax = std::exp(logit(n, v) - row_lse);
        const double grad = factor * (softmax - (v == targets[n] ? 1 : 0)) / static_cast<double>(counted);
        for (int64_t c = 0; c < columns; ++c) {
          dx[n * columns + c] += static_cast<T>(grad * w[v * columns + c]);
          dw[v * columns + c] += static_cast<T>(grad * x[n * columns + c]);
        }
      }
    }
  }
};

// x, w, targets -> loss [], lse [rows]
template <typename T>
void linear_cross_entropy(const KernelCall& call) {
  const Problem<T> problem(call);
  *call.out<T>(0) = static_cast<T>(problem.loss());
  for (int64_t n = 0; n < problem.rows; ++n) call.out<T>(1)[n] = static_cast<T>(problem.log_sum_exp(n));
}

// x, w, targets, lse, dloss -> dx, dw
template <typename T>
void linear_cross_entropy_grad(const KernelCall& call) {
  const Problem<T> problem(call);
  T* dw = call.out<T>(1);
  for (int64_t i = 0; i < problem.classes * problem.columns; ++i) dw[i] = 0;
  const auto lse = [&](int64_t n) { return double{call.in<T>(3)[n]}; };
  problem.add_gradients(*call.in<T>(4), lse, call.out<T>(0), dw);
}

// x, w, targets, [accumulator] -> loss [], dx, dw
template <typename T>
void linear_cross_entropy_step(const KernelCall& call) {
  const auto& attributes = call.attributes_as<LinearCrossEntropyAttributes>();
  const Problem<T> problem(call);
  *call.out<T>(0) = static_cast<T>(problem.loss());
  T* dw = call.out<T>(2);
  for (int64_t i = 0; i < problem.classes * problem.columns; ++i)
    dw[i] = attributes.accumulate ? call.in<T>(3)[i] : T{0};
  problem.add_gradients(
      attributes.scale, [&](int64_t n) { return problem.log_sum_exp(n); }, call.out<T>(1), dw);
}

template <typename T>
void add_floating(RefTable& table) {
  table.set(Op::linear_cross_entropy, kDTypeOf<T>, linear_cross_entropy<T>);
  table.set(Op::linear_cross_entropy_grad, kDTypeOf<T>, linear_cross_entropy_grad<T>);
  table.set(Op::linear_cross_entropy_step, kDTypeOf<T>, linear_cross_entropy_step<T>);
}

}  // namespace

void add_cross_entropy_kernels(RefTable& table) {
  add_floating<float>(table);
  add_floating<double>(table);
}

}  // namespace sesame::ref
