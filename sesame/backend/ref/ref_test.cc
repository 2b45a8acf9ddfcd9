// Primitives against numbers worked out by hand. (Fused ops are held against their decompositions into these.)

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sesame/backend/ref/interpreter.h"
#include "sesame/base/error.h"
#include "sesame/base/philox.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

class RefTest : public testing::Test {
 protected:
  Value real(const Shape& shape, const std::vector<double>& values) { return leaf<double>(DType::f64, shape, values); }
  Value whole(const Shape& shape, const std::vector<int32_t>& values) {
    return leaf<int32_t>(DType::i32, shape, values);
  }
  Value flags(const Shape& shape, const std::vector<uint8_t>& values) {
    return leaf<uint8_t>(DType::boolean, shape, values);
  }

  template <typename T = double>
  std::vector<T> run(Value result, StepState state = {}) {
    Interpreter interpreter(graph_, ref_backend(), threads_);
    for (const auto& write : writes_) write(interpreter);
    interpreter.run(state);
    const Tensor tensor = interpreter.value(result.ref());
    return {tensor.as<T>(), tensor.as<T>() + tensor.elements()};
  }

  Graph graph_;
  Builder builder_{graph_};

 private:
  template <typename T>
  Value leaf(DType dtype, const Shape& shape, const std::vector<T>& values) {
    EXPECT_EQ(shape.elements(), static_cast<int64_t>(values.size()));
    const Value value = builder_.input("x" + std::to_string(graph_.size()), {dtype, shape});
    writes_.push_back([=](const Interpreter& interpreter) {
      std::ranges::copy(values, interpreter.value(value.ref()).template as<T>());
    });
    return value;
  }

  ThreadPool threads_{1};
  std::vector<std::function<void(const Interpreter&)>> writes_;
};

TEST_F(RefTest, ArithmeticBroadcastsFromTheLastAxis) {
  const Value column = real({2, 1}, {10, 20});
  const Value row = real({3}, {1, 2, 4});
  EXPECT_THAT(run(column + row), ElementsAre(11, 12, 14, 21, 22, 24));
  EXPECT_THAT(run(column - row), ElementsAre(9, 8, 6, 19, 18, 16));
  EXPECT_THAT(run(column * row), ElementsAre(10, 20, 40, 20, 40, 80));
  EXPECT_THAT(run(column / row), ElementsAre(10, 5, 2.5, 20, 10, 5));
  EXPECT_THAT(run<uint8_t>(less(row, real({1}, {2}))), ElementsAre(1, 0, 0));
  EXPECT_THAT(run(select(flags({2, 1}, {1, 0}), row, real({}, {-7}))), ElementsAre(1, 2, 4, -7, -7, -7));
}

TEST_F(RefTest, Int32ArithmeticTruncatesWrapsAndRefusesZero) {
  const Value a = whole({3}, {7, -7, std::numeric_limits<int32_t>::min()});
  EXPECT_THAT(run<int32_t>(a / whole({3}, {2, 2, -1})), ElementsAre(3, -3, std::numeric_limits<int32_t>::min()));
  EXPECT_THAT(run<int32_t>(a - whole({1}, {1})), ElementsAre(6, -8, std::numeric_limits<int32_t>::max()));
  const Value bad = a / whole({1}, {0});
  EXPECT_THAT([&] { run<int32_t>(bad); }, testing::ThrowsMessage<Error>(HasSubstr("divided by 0")));
}

TEST_F(RefTest, Functions) {
  const Value x = real({2}, {0.25, 2});
  EXPECT_THAT(run(neg(x)), ElementsAre(-0.25, -2));
  EXPECT_THAT(run(exp(x)), ElementsAre(std::exp(0.25), std::exp(2.0)));
  EXPECT_THAT(run(log(x)), ElementsAre(std::log(0.25), std::log(2.0)));
  EXPECT_THAT(run(sqrt(x)), ElementsAre(0.5, std::sqrt(2.0)));
  EXPECT_THAT(run(tanh(x)), ElementsAre(std::tanh(0.25), std::tanh(2.0)));
  EXPECT_THAT(run(sigmoid(real({3}, {-1000, 0, std::log(3.0)}))),
              Pointwise(DoubleNear(1e-15), std::vector{0.0, 0.5, 0.75}));
}

TEST_F(RefTest, Casts) {
  const Value x = real({5}, {-1.9, 1.9, 1e300, -1e300, std::nan("")});
  EXPECT_THAT(run<int32_t>(cast(x, DType::i32)),
              ElementsAre(-1, 1, std::numeric_limits<int32_t>::max(), std::numeric_limits<int32_t>::min(), 0));
  EXPECT_THAT(run<uint8_t>(cast(real({3}, {0, -0.0, 0.5}), DType::boolean)), ElementsAre(0, 0, 1));
  EXPECT_THAT(run<float>(cast(whole({2}, {3, -4}), DType::f32)), ElementsAre(3, -4));
  EXPECT_THAT(run(cast(flags({2}, {1, 0}), DType::f64)), ElementsAre(1, 0));
}

TEST_F(RefTest, Layout) {
  const Value x = real({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(run(permute(x, {1, 0})), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(run(permute(reshape(x, {1, 2, 3}), {2, 0, 1})), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(run(slice(x, 1, 1, 2)), ElementsAre(2, 3, 5, 6));
  EXPECT_THAT(run(pad(x, 1, 1, 5)), ElementsAre(0, 1, 2, 3, 0, 0, 4, 5, 6, 0));
  EXPECT_THAT(run(pad(x, 0, 1, 3)), ElementsAre(0, 0, 0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(run(broadcast_to(real({2, 1}, {1, 2}), {2, 2, 2})), ElementsAre(1, 1, 2, 2, 1, 1, 2, 2));
  EXPECT_THAT(run<int32_t>(iota(builder_, {2, 3})), ElementsAre(0, 1, 2, 0, 1, 2));
  EXPECT_THAT(run<uint8_t>(builder_.constant(2, {DType::boolean, {2}})), ElementsAre(1, 1));
}

TEST_F(RefTest, Reductions) {
  const Value x = real({2, 3}, {1, 2, 3, 40, 50, 60});
  EXPECT_THAT(run(reduce_sum(x, {0})), ElementsAre(41, 52, 63));
  EXPECT_THAT(run(reduce_sum(x, {1})), ElementsAre(6, 150));
  EXPECT_THAT(run(reduce_sum(x)), ElementsAre(156));
  EXPECT_THAT(run(reduce_max(x, {1})), ElementsAre(3, 60));
  EXPECT_TRUE(std::isnan(run(reduce_max(real({3}, {1, std::nan(""), 2})))[0]));
}

TEST_F(RefTest, MatmulWithTranspositionsBiasAndAccumulator) {
  const Value a = real({2, 2}, {1, 2, 3, 4});
  const Value b = real({2, 2}, {5, 6, 7, 8});
  EXPECT_THAT(run(matmul(a, b)), ElementsAre(19, 22, 43, 50));
  EXPECT_THAT(run(matmul(a, b, {.transpose_a = true})), ElementsAre(26, 30, 38, 44));
  EXPECT_THAT(run(matmul(a, b, {.transpose_b = true})), ElementsAre(17, 23, 39, 53));
  EXPECT_THAT(run(matmul(a, b, {.transpose_a = true, .transpose_b = true})), ElementsAre(23, 31, 34, 46));
  const Value bias = real({2}, {100, 200});
  const Value sum = real({2, 2}, {1000, 2000, 3000, 4000});
  EXPECT_THAT(run(matmul(a, b, {.bias = bias, .accumulator = sum})), ElementsAre(1119, 2222, 3143, 4250));
  const Value batch = reshape(real({4}, {1, 0, 0, 2}), {2, 1, 2});
  EXPECT_THAT(run(matmul(batch, b)), ElementsAre(5, 6, 14, 16));
}

TEST_F(RefTest, EmbeddingAndItsGradient) {
  const Value ids = whole({3}, {2, 0, 2});
  EXPECT_THAT(run(embedding(real({3, 2}, {1, 2, 3, 4, 5, 6}), ids)), ElementsAre(5, 6, 1, 2, 5, 6));
  const Value grad = real({3, 2}, {1, 2, 10, 20, 100, 200});
  EXPECT_THAT(run(embedding_grad(grad, ids, 3)), ElementsAre(10, 20, 0, 0, 101, 202));
  EXPECT_THAT(run(embedding_grad(grad, ids, 3, real({3, 2}, {1, 1, 1, 1, 1, 1}))), ElementsAre(11, 21, 1, 1, 102, 203));
  EXPECT_THAT(run(one_hot(whole({3}, {1, -1, 2}), 2, DType::f64)), ElementsAre(0, 1, 0, 0, 0, 0));
}

TEST_F(RefTest, RopeTurnsPairsHalfAHeadApart) {
  // One head of four at position 3, then two columns that are left alone: the angles are 3 and 3 / 100^(1/2).
  const Value x = real({1, 2, 6}, {0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 7, 8});
  const Value y = rope(x, whole({1}, {2}), {.heads = 1, .head_dim = 4, .theta = 100});
  EXPECT_THAT(run(y), Pointwise(DoubleNear(1e-12), std::vector<double>{0, 0, 0, 0, 0, 0, std::cos(3.0), -std::sin(0.3),
                                                                       std::sin(3.0), std::cos(0.3), 7, 8}));
}

TEST_F(RefTest, DropoutIsAFunctionOfSeedKeyStepAndElement) {
  constexpr int64_t kSize = 40000;
  constexpr double kRate = 0.2;
  const Value dropped = dropout(real({kSize}, std::vector<double>(kSize, 4.0)), kRate);
  const auto key = static_cast<uint64_t>(graph_.node(dropped.ref().node).attributes_as<DropoutAttributes>().key);
  const std::vector<double> y = run(dropped, {.seed = 5, .step = 9});
  int zeros = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const bool drop = Philox(5, key).word(i, 9) < 858993459u;  // 0.2 of 2^32
    ASSERT_EQ(y[i], drop ? 0.0 : 4.0 / 0.8) << i;
    zeros += drop ? 1 : 0;
  }
  EXPECT_NEAR(zeros, kRate * kSize, 400);  // five standard deviations
  EXPECT_NE(run(dropped, {.seed = 5, .step = 10}), y);
  EXPECT_NE(run(dropped, {.seed = 6, .step = 9}), y);
}

TEST_F(RefTest, AdamWStepByHand) {
  // The first step: m_hat = g, v_hat = g^2, so each parameter moves by the learning rate against the gradient's sign.
  const AdamWAttributes attributes{.beta1 = 0.9, .beta2 = 0.99, .epsilon = 0, .weight_decay = 0.5, .decayed = 1};
  const Value zero = real({2}, {0, 0});
  const AdamWStep step =
      adamw(real({2}, {2, 2}), real({2}, {3, -5}), zero, zero, real({3}, {0.1, 0.1, 0.01}), Value{}, attributes);
  EXPECT_THAT(run(step.parameters), Pointwise(DoubleNear(1e-12), std::vector{2 - 0.1 - 0.1 * 0.5 * 2, 2 + 0.1}));
  EXPECT_THAT(run(step.first_moment), Pointwise(DoubleNear(1e-12), std::vector{0.3, -0.5}));
  EXPECT_THAT(run(step.second_moment), Pointwise(DoubleNear(1e-12), std::vector{0.09, 0.25}));
}

TEST_F(RefTest, AdamWClipsByTheGivenNorm) {
  const AdamWAttributes attributes{.max_grad_norm = 1, .decayed = 0};
  const Value zero = real({1}, {0});
  const auto first_moment = [&](double squared_norm) {
    const AdamWStep step =
        adamw(zero, real({1}, {8}), zero, zero, real({3}, {0.1, 0.1, 0.01}), real({}, {squared_norm}), attributes);
    return run(step.first_moment)[0];
  };
  EXPECT_NEAR(first_moment(16.0), 0.1 * 8 / 4, 1e-6);
  EXPECT_NEAR(first_moment(0.25), 0.1 * 8, 1e-12);
}

// A backend whose only kernel breaks the contract in a chosen way.
class BrokenBackend : public Backend {
 public:
  explicit BrokenBackend(void (*run)(const KernelCall&)) : kernel_{run, nullptr} {}
  [[nodiscard]] const char* name() const override { return "broken"; }
  [[nodiscard]] const Kernel* find(Op op, DType) const override { return op == Op::neg ? &kernel_ : nullptr; }

 private:
  Kernel kernel_;
};

void run_neg(const Backend& backend) {
  Graph graph;
  Builder builder(graph);
  neg(builder.input("x", {DType::f32, {3}}));
  ThreadPool threads(1);
  Interpreter(graph, backend, threads).run({});
}

TEST(InterpreterTest, CatchesKernelsThatBreakTheContract) {
  const BrokenBackend past_end([](const KernelCall& call) { call.out<float>(0)[3] = 1; });
  EXPECT_THAT([&] { run_neg(past_end); }, testing::ThrowsMessage<Error>(HasSubstr("outside output 0")));
  const BrokenBackend into_input([](const KernelCall& call) { call.inputs[0].as<float>()[1] = 1; });
  EXPECT_THAT([&] { run_neg(into_input); }, testing::ThrowsMessage<Error>(HasSubstr("into input 0")));
  const BrokenBackend polite([](const KernelCall&) {});
  EXPECT_NO_THROW(run_neg(polite));
}

TEST(InterpreterTest, NamesTheOpWithoutKernel) {
  Graph graph;
  Builder builder(graph);
  exp(builder.input("x", {DType::f32, {3}}));
  const BrokenBackend none([](const KernelCall&) {});
  ThreadPool threads(1);
  EXPECT_THAT([&] { Interpreter(graph, none, threads); },
              testing::ThrowsMessage<Error>(HasSubstr("broken has no kernel for exp of float32")));
}

TEST(InterpreterTest, UpdatesTakeOldValues) {
  Graph graph;
  Builder builder(graph);
  const Value a = builder.variable("a", {DType::f32, {1}});
  const Value b = builder.variable("b", {DType::f32, {1}});
  builder.update(a, b);
  builder.update(b, a);
  ThreadPool threads(1);
  Interpreter interpreter(graph, ref_backend(), threads);
  *interpreter.leaf("a").as<float>() = 1;
  *interpreter.leaf("b").as<float>() = 2;
  interpreter.run({});
  EXPECT_EQ(*interpreter.leaf("a").as<float>(), 2);
  EXPECT_EQ(*interpreter.leaf("b").as<float>(), 1);
}

}  // namespace
}  // namespace sesame
