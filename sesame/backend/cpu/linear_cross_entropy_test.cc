#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "sesame/backend/cpu/gemm_kernels.h"
#include "sesame/backend/cpu/linear_cross_entropy_rows.h"
#include "sesame/base/error.h"
#include "sesame/simd/each_instruction_set.h"

namespace sesame {
namespace {

std::vector<float> random_floats(int64_t count, int seed, float reach = 1) {
  std::vector<float> values(static_cast<size_t>(count));
  std::minstd_rand random(static_cast<uint32_t>(seed));
  std::uniform_real_distribution<float> uniform(-reach, reach);
  for (float& value : values) value = uniform(random);
  return values;
}

/// x [rows, width], w [classes, width] and a target per row, every fifth of them ignored.
struct Problem {
  int64_t rows, width, classes;
  std::vector<float> x = random_floats(rows * width, 1);
  std::vector<float> w = random_floats(classes * width, 2);
  std::vector<int32_t> targets = some_targets();
  std::vector<float> accumulator = random_floats(classes * width, 3);

  [[nodiscard]] std::vector<int32_t> some_targets() const {
    std::vector<int32_t> result(static_cast<size_t>(rows));
    for (int64_t i = 0; i < rows; ++i) {
      result[static_cast<size_t>(i)] = i % 5 == 3 ? -1 : static_cast<int32_t>(i * 7919 % classes);
    }
    return result;
  }
};

struct Result {
  float loss = -1;
  std::vector<float> lse, dx, dw;

  bool operator==(const Result& other) const {
    const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
      return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
    };
    return std::memcmp(&loss, &other.loss, sizeof loss) == 0 && same(lse, other.lse) && same(dx, other.dx) &&
           same(dw, other.dw);
  }
};

struct Call {
  Node node;
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;

  Call(Op op, const Problem& p, LinearCrossEntropyAttributes attributes = {}) {
    node.op = op;
    node.attributes = attributes;
    add_input(p.x.data(), {DType::f32, {p.rows, p.width}});
    add_input(p.w.data(), {DType::f32, {p.classes, p.width}});
    add_input(p.targets.data(), {DType::i32, {p.rows}});
  }

  void add_input(const void* data, Type type) { inputs.push_back({const_cast<void*>(data), type}); }
  void add_output(float* data, const Shape& shape) { outputs.push_back({data, {DType::f32, shape}}); }

  void run(const Kernel& kernel, int threads) {
    std::vector<Type> types;
    for (const Tensor& input : inputs) types.push_back(input.type);
    const size_t bytes = kernel.workspace(node, types, threads);
    std::vector<std::byte> memory(bytes + 64);
    ThreadPool pool(threads);
    KernelCall call;
    call.node = &node;
    call.inputs = inputs;
    call.outputs = outputs;
    call.workspace = memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64;
    call.threads = &pool;
    kernel.run(call);
  }
};

Result forward(const Problem& p, int threads) {
  Result result;
  result.lse.resize(static_cast<size_t>(p.rows));
  Call call(Op::linear_cross_entropy, p);
  call.add_output(&result.loss, Shape{});
  call.add_output(result.lse.data(), {p.rows});
  call.run(cpu_linear_cross_entropy, threads);
  return result;
}

Result grad(const Problem& p, const std::vector<float>& lse, float dloss, int threads) {
  Result result;
  result.dx.resize(p.x.size());
  result.dw.resize(p.w.size());
  Call call(Op::linear_cross_entropy_grad, p);
  call.add_input(lse.data(), {DType::f32, {p.rows}});
  call.add_input(&dloss, {DType::f32, Shape{}});
  call.add_output(result.dx.data(), {p.rows, p.width});
  call.add_output(result.dw.data(), {p.classes, p.width});
  call.run(cpu_linear_cross_entropy_grad, threads);
  return result;
}

enum class Accumulate { no, apart, in_place };

Result step(const Problem& p, double scale, Accumulate accumulate, int threads) {
  Result result;
  result.dx.resize(p.x.size());
  result.dw = accumulate == Accumulate::in_place ? p.accumulator : std::vector<float>(p.w.size(), -9.0F);
  Call call(Op::linear_cross_entropy_step, p, {scale, accumulate != Accumulate::no});
  if (accumulate != Accumulate::no) {
    const float* from = accumulate == Accumulate::in_place ? result.dw.data() : p.accumulator.data();
    call.add_input(from, {DType::f32, {p.classes, p.width}});
  }
  call.add_output(&result.loss, Shape{});
  call.add_output(result.dx.data(), {p.rows, p.width});
  call.add_output(result.dw.data(), {p.classes, p.width});
  call.run(cpu_linear_cross_entropy_step, threads);
  return result;
}

/// Loss and gradients by double loops; dw starts as `first`.
struct Expected {
  double loss = 0;
  std::vector<double> lse, dx, dw;

  Expected(const Problem& p, double factor, const std::vector<float>& first)
      : lse(static_cast<size_t>(p.rows)), dx(p.x.size()), dw(first.begin(), first.end()) {
    dw.resize(p.w.size());
    double counted = 0;
    for (const int32_t target : p.targets) counted += target >= 0 ? 1 : 0;
    for (int64_t i = 0; i < p.rows; ++i) add_row(p, i, std::max(counted, 1.0), factor);
  }

  void add_row(const Problem& p, int64_t i, double counted, double factor) {
    const float* x = p.x.data() + i * p.width;
    std::vector<double> logits(static_cast<size_t>(p.classes));
    double largest = -std::numeric_limits<double>::infinity();
    for (int64_t v = 0; v < p.classes; ++v) {
      double& logit = logits[static_cast<size_t>(v)];
      for (int64_t c = 0; c < p.width; ++c) logit += double{x[c]} * double{p.w[static_cast<size_t>(v * p.width + c)]};
      largest = std::max(largest, logit);
    }
    double sum = 0;
    for (const double logit : logits) sum += std::exp(logit - largest);
    const double row_lse = largest + std::log(sum);
    lse[static_cast<size_t>(i)] = row_lse;
    const int32_t target = p.targets[static_cast<size_t>(i)];
    if (target < 0) return;
    loss += (row_lse - logits[static_cast<size_t>(target)]) / counted;
    for (int64_t v = 0; v < p.classes; ++v) {
      const double g = factor * (std::exp(logits[static_cast<size_t>(v)] - row_lse) - (v == target ? 1 : 0)) / counted;
      for (int64_t c = 0; c < p.width; ++c) {
        dx[static_cast<size_t>(i * p.width + c)] += g * double{p.w[static_cast<size_t>(v * p.width + c)]};
        dw[static_cast<size_t>(v * p.width + c)] += g * double{x[c]};
      }
    }
  }
};

void expect_near(const std::vector<float>& got, const std::vector<double>& wanted, double tolerance) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(double{got[i]}, wanted[i], tolerance) << "element " << i;
}

const Problem kProblems[] = {{1, 1, 1}, {1, 5, 3}, {7, 16, 65}, {64, 24, 33}, {150, 17, 257}};

TEST(LinearCrossEntropy, ForwardAgainstDoubleLoops) {
  for_each_instruction_set([&](const char* instruction_set) {
    for (const Problem& p : kProblems) {
      SCOPED_TRACE(testing::Message() << instruction_set << ": " << p.rows << " rows, " << p.classes << " classes");
      const Result result = forward(p, 1);
      const Expected expected(p, 1, {});
      EXPECT_NEAR(double{result.loss}, expected.loss, 1e-5);
      expect_near(result.lse, expected.lse, 1e-5);
      EXPECT_EQ(result, forward(p, 2));
    }
  });
}

TEST(LinearCrossEntropy, GradAgainstDoubleLoops) {
  for (const Problem& p : kProblems) {
    const Result result = grad(p, forward(p, 1).lse, 0.75F, 1);
    const Expected expected(p, 0.75, {});
    expect_near(result.dx, expected.dx, 1e-6);
    expect_near(result.dw, expected.dw, 1e-6);
    EXPECT_EQ(result, grad(p, forward(p, 1).lse, 0.75F, 2));
  }
}

TEST(LinearCrossEntropy, StepAgainstDoubleLoops) {
  for (const Problem& p : kProblems) {
    const Result fresh = step(p, 0.25, Accumulate::no, 1);
    const Expected expected(p, 0.25, {});
    EXPECT_EQ(fresh.loss, forward(p, 1).loss);
    expect_near(fresh.dx, expected.dx, 1e-6);
    expect_near(fresh.dw, expected.dw, 1e-6);
    EXPECT_EQ(fresh, step(p, 0.25, Accumulate::no, 2));
    const Result added = step(p, 0.25, Accumulate::apart, 1);
    expect_near(added.dw, Expected(p, 0.25, p.accumulator).dw, 1e-6);
    EXPECT_EQ(added, step(p, 0.25, Accumulate::in_place, 2));
  }
}

/// So many classes that the logits are made in several blocks of rows, the last one smaller.
TEST(LinearCrossEntropy, SeveralRowBlocks) {
  const Problem p{150, 2, 120011};
  const Result result = step(p, 1, Accumulate::in_place, 1);
  const Expected expected(p, 1, p.accumulator);
  EXPECT_NEAR(double{result.loss}, expected.loss, 1e-4);
  expect_near(result.dx, expected.dx, 1e-6);
  expect_near(result.dw, expected.dw, 1e-6);
  EXPECT_EQ(result, step(p, 1, Accumulate::apart, 2));
  const Result apart = grad(p, forward(p, 2).lse, 1, 2);
  expect_near(apart.dx, expected.dx, 1e-6);
  expect_near(apart.dw, Expected(p, 1, {}).dw, 1e-6);
}

TEST(LinearCrossEntropy, WorkspaceHoldsOneRowBlockOfLogits) {
  Node node;
  node.op = Op::linear_cross_entropy_step;
  node.attributes = LinearCrossEntropyAttributes{};
  const std::vector<Type> inputs = {{DType::f32, {1 << 16, 768}}, {DType::f32, {50304, 768}}, {DType::i32, {1 << 16}}};
  EXPECT_LE(cpu_linear_cross_entropy_step.workspace(node, inputs, 2), size_t{37} << 20);
}

TEST(LinearCrossEntropy, AllTargetsIgnoredGiveZero) {
  Problem p{6, 4, 9};
  p.targets.assign(6, -100);
  const Result result = step(p, 1, Accumulate::no, 1);
  EXPECT_EQ(result.loss, 0);
  EXPECT_THAT(result.dx, testing::Each(0.0F));
  EXPECT_THAT(result.dw, testing::Each(0.0F));
}

TEST(LinearCrossEntropy, TargetOutOfRangeNamesTheRow) {
  Problem p{6, 4, 9};
  p.targets[4] = 9;
  try {
    forward(p, 1);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("target 9"), testing::HasSubstr("row 4"),
                                             testing::HasSubstr("linear_cross_entropy")));
  }
}

TEST(LinearCrossEntropy, LargeLogitsStayFinite) {
  Problem p{8, 4, 50};
  for (float& x : p.x) x *= 1e4F;
  const Result result = step(p, 1, Accumulate::no, 1);
  EXPECT_TRUE(std::isfinite(result.loss));
  expect_near(result.dx, Expected(p, 1, {}).dx, 1e-4);
}

TEST(LogSumExp, InfinitiesAndNan) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for_each_instruction_set([&](const char*) {
    for (const int64_t at : {0, 39, 70}) {
      std::vector<float> row(71, 0.5F);
      row[static_cast<size_t>(at)] = kNan;
      EXPECT_TRUE(std::isnan(log_sum_exp(row.data(), 71))) << at;
      row[static_cast<size_t>(at)] = kInf;
      EXPECT_EQ(log_sum_exp(row.data(), 71), kInf) << at;
      row[static_cast<size_t>(at)] = -kInf;
      EXPECT_NEAR(log_sum_exp(row.data(), 71), 0.5F + std::log(70.0F), 1e-5F) << at;
      std::fill(row.begin(), row.end(), -kInf);
      EXPECT_EQ(log_sum_exp(row.data(), 71), -kInf);
      row[static_cast<size_t>(at)] = kNan;
      EXPECT_TRUE(std::isnan(log_sum_exp(row.data(), 71))) << at;
    }
  });
}

}  // namespace
}  // namespace sesame
