#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "sesame/backend/cpu/gemm.h"
#include "sesame/backend/cpu/gemm_kernels.h"
#include "sesame/backend/cpu/linear_cross_entropy_rows.h"
#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

constexpr int64_t kMaxLogitBytes = 32 << 20;
constexpr int64_t kRowMultiple = 64;
constexpr int64_t kLineFloats = 16;

/// x [rows, width], w [classes, width]. Logits are made for block_rows rows at a time.
struct Sizes {
  int64_t rows;
  int64_t width;
  int64_t classes;
  int64_t stride;  // of rows of logits, whole cache lines: an odd number of classes would cost each row split accesses
  int64_t block_rows;

  Sizes(const Shape& x, const Shape& w)
      : rows(x[0]), width(x[1]), classes(w[0]), stride((classes + kLineFloats - 1) / kLineFloats * kLineFloats) {
    const int64_t fit = kMaxLogitBytes / (stride * static_cast<int64_t>(sizeof(float)));
    block_rows = std::min(rows, std::max(kRowMultiple, fit / kRowMultiple * kRowMultiple));
  }

  /// logits[count, classes] = x w^T
  [[nodiscard]] Gemm logits(int64_t count) const {
    Gemm product;
    product.m = count;
    product.n = classes;
    product.k = width;
    product.transpose_b = true;
    product.lda = width;
    product.ldb = width;
    product.ldc = stride;
    return product;
  }

  /// dx[count, width] = dlogits w
  [[nodiscard]] Gemm dx(int64_t count) const {
    Gemm product;
    product.m = count;
    product.n = width;
    product.k = classes;
    product.lda = stride;
    product.ldb = width;
    product.ldc = width;
    return product;
  }

  /// dw[classes, width] (+)= dlogits^T x
  [[nodiscard]] Gemm dw(int64_t count) const {
    Gemm product;
    product.m = classes;
    product.n = width;
    product.k = count;
    product.transpose_a = true;
    product.lda = stride;
    product.ldb = width;
    product.ldc = width;
    product.ldd = width;
    return product;
  }
};

size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

size_t logit_bytes(const Sizes& sizes) {
  return rounded(static_cast<size_t>(sizes.block_rows * sizes.stride) * sizeof(float));
}

size_t row_bytes(const Sizes& sizes) { return rounded(static_cast<size_t>(sizes.rows) * sizeof(float)); }

/// Logits of a row block, a loss per row, and what the products need.
size_t workspace_bytes(const Node& node, std::span<const Type> inputs, int threads) {
  const Sizes sizes(inputs[0].shape, inputs[1].shape);
  size_t products = 0;
  const int64_t last = sizes.rows % sizes.block_rows;
  for (const int64_t count : {sizes.block_rows, last == 0 ? sizes.block_rows : last}) {
    products = std::max(products, gemm_workspace_bytes(sizes.logits(count), threads));
    if (node.op == Op::linear_cross_entropy) continue;
    products = std::max(products, gemm_workspace_bytes(sizes.dx(count), threads));
    products = std::max(products, gemm_workspace_bytes(sizes.dw(count), threads));
  }
  return logit_bytes(sizes) + row_bytes(sizes) + products;
}

/// The inputs that all three ops begin with (x, w, targets), and the workspace cut into its parts.
class Problem {
 public:
  explicit Problem(const KernelCall& call)
      : call_(call),
        sizes_(call.in_shape(0), call.in_shape(1)),
        targets_(call.in<int32_t>(2)),
        logits_(reinterpret_cast<float*>(call.workspace)),
        losses_(reinterpret_cast<float*>(call.workspace + logit_bytes(sizes_))),
        product_workspace_(call.workspace + logit_bytes(sizes_) + row_bytes(sizes_)) {
    for (int64_t row = 0; row < sizes_.rows; ++row) {
      if (targets_[row] >= sizes_.classes) {
        fail(fmt::format("{}: target {} of row {} is not below {}, the number of classes{}", name_of(call.node->op),
                         targets_[row], row, sizes_.classes,
                         call.node->scope.empty() ? "" : fmt::format(" (in {})", call.node->scope)));
      }
      counted_ += targets_[row] >= 0 ? 1 : 0;
    }
  }

  [[nodiscard]] const Sizes& sizes() const { return sizes_; }

  /// 1 / the number of targets that count; with none, every row is ignored anyway.
  [[nodiscard]] double mean_factor() const { return 1.0 / static_cast<double>(std::max<int64_t>(counted_, 1)); }

  /// Calls f(first row, count) for each block of rows, in order.
  template <typename F>
  void for_each_row_block(F&& f) const {
    for (int64_t row = 0; row < sizes_.rows; row += sizes_.block_rows) {
      f(row, std::min(sizes_.block_rows, sizes_.rows - row));
    }
  }

  void compute_logits(int64_t row, int64_t count) const {
    Gemm product = sizes_.logits(count);
    product.a = call_.in<float>(0) + row * sizes_.width;
    product.b = call_.in<float>(1);
    product.c = logits_;
    gemm(product, product_workspace_, *call_.threads);
  }

  /// The log-sum-exp of each row of the block, and its loss.
  void reduce_rows(int64_t row, int64_t count, float* lse) const {
    call_.threads->run(count, [&](int64_t i, int) { lse[row + i] = reduce_row(row + i, logits_ + i * sizes_.stride); });
  }

  /// Turns the block's logits into their gradients: (softmax - one_hot(target)) * factor, zero in rows that are
  /// ignored.
  void differentiate_rows(int64_t row, int64_t count, const float* lse, float factor) const {
    call_.threads->run(
        count, [&](int64_t i, int) { differentiate_row(row + i, logits_ + i * sizes_.stride, lse[row + i], factor); });
  }

  /// Both at once, while a row's logits are in the cache.
  void reduce_and_differentiate_rows(int64_t row, int64_t count, float factor) const {
    call_.threads->run(count, [&](int64_t i, int) {
      float* logits = logits_ + i * sizes_.stride;
      differentiate_row(row + i, logits, reduce_row(row + i, logits), factor);
    });
  }

  /// dx of the block's rows, and what they add to dw: `add` [classes, width] may be dw itself or absent.
  void multiply_gradients(int64_t row, int64_t count, float* dx, const float* add, float* dw) const {
    Gemm to_x = sizes_.dx(count);
    to_x.a = logits_;
    to_x.b = call_.in<float>(1);
    to_x.c = dx + row * sizes_.width;
    gemm(to_x, product_workspace_, *call_.threads);
    Gemm to_w = sizes_.dw(count);
    to_w.a = logits_;
    to_w.b = call_.in<float>(0) + row * sizes_.width;
    to_w.c = dw;
    to_w.d = add;
    gemm(to_w, product_workspace_, *call_.threads);
  }

  [[nodiscard]] float mean_loss() const {
    double sum = 0;
    for (int64_t row = 0; row < sizes_.rows; ++row) sum += losses_[row];
    return static_cast<float>(sum * mean_factor());
  }

 private:
  [[nodiscard]] float reduce_row(int64_t row, const float* logits) const {
    const float lse = log_sum_exp(logits, sizes_.classes);
    losses_[row] = targets_[row] >= 0 ? lse - logits[targets_[row]] : 0;
    return lse;
  }

  void differentiate_row(int64_t row, float* logits, float lse, float factor) const {
    if (targets_[row] < 0) {
      std::memset(logits, 0, static_cast<size_t>(sizes_.classes) * sizeof(float));
      return;
    }
    logits_to_probabilities(logits, sizes_.classes, lse, factor);
    logits[targets_[row]] -= factor;
  }

  const KernelCall& call_;
  Sizes sizes_;
  const int32_t* targets_;
  float* logits_;
  float* losses_;
  std::byte* product_workspace_;
  int64_t counted_ = 0;
};

// x, w, targets -> loss [], lse [rows]
void run_forward(const KernelCall& call) {
  const Problem problem(call);
  problem.for_each_row_block([&](int64_t row, int64_t count) {
    problem.compute_logits(row, count);
    problem.reduce_rows(row, count, call.out<float>(1));
  });
  *call.out<float>(0) = problem.mean_loss();
}

// x, w, targets, lse, dloss -> dx, dw
void run_grad(const KernelCall& call) {
  const Problem problem(call);
  const auto factor = static_cast<float>(*call.in<float>(4) * problem.mean_factor());
  float* dw = call.out<float>(1);
  problem.for_each_row_block([&](int64_t row, int64_t count) {
    problem.compute_logits(row, count);
    problem.differentiate_rows(row, count, call.in<float>(3), factor);
    problem.multiply_gradients(row, count, call.out<float>(0), row == 0 ? nullptr : dw, dw);
  });
}

// x, w, targets, [accumulator] -> loss [], dx, dw
void run_step(const KernelCall& call) {
  const auto& attributes = call.attributes_as<LinearCrossEntropyAttributes>();
  const Problem problem(call);
  const auto factor = static_cast<float>(attributes.scale * problem.mean_factor());
  const float* first = attributes.accumulate ? call.in<float>(3) : nullptr;
  float* dw = call.out<float>(2);
  problem.for_each_row_block([&](int64_t row, int64_t count) {
    problem.compute_logits(row, count);
    problem.reduce_and_differentiate_rows(row, count, factor);
    problem.multiply_gradients(row, count, call.out<float>(1), row == 0 ? first : dw, dw);
  });
  *call.out<float>(0) = problem.mean_loss();
}

}  // namespace

const Kernel cpu_linear_cross_entropy = {run_forward, workspace_bytes};
const Kernel cpu_linear_cross_entropy_grad = {run_grad, workspace_bytes};
const Kernel cpu_linear_cross_entropy_step = {run_step, workspace_bytes};

}  // namespace sesame
