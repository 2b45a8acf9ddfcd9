#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "sesame/base/thread_pool.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/vjp.h"
#include "sesame/runtime/compile.h"
#include "sesame/runtime/program.h"

namespace sesame {
namespace {

constexpr int64_t kRows = 24;
constexpr int64_t kWidth = 16;

/// A random network of ops on values [kRows, kWidth] that may read any value made before, its loss, and the gradients
/// of its parameters in variables. Some of the parameters are updated with their gradients in the same step.
class RandomNetwork {
 public:
  explicit RandomNetwork(uint64_t seed) : random_(seed) {
    values_.push_back(b_.input("x", {DType::f32, {kRows, kWidth}}));
    const int nodes = 10 + pick(30);
    for (int i = 0; i < nodes; ++i) values_.push_back(node(i));
    Value sum = values_.back();
    for (int i = 0; i < 3; ++i) sum = sum + any();
    const Value loss = reshape(reduce_sum(sum * sum), Shape{});
    b_.output("loss", loss);
    const auto grads = gradients(b_, loss, parameters_);
    for (size_t i = 0; i < grads.size(); ++i) {
      if (i % 3 == 2) {
        b_.update(parameters_[i], parameters_[i] - scale(grads[i], 1e-4));
      } else {
        b_.update(b_.variable(fmt::format("grad{}", i), grads[i].type()), grads[i]);
      }
    }
  }

  [[nodiscard]] const Graph& graph() const { return graph_; }

 private:
  int pick(int below) { return static_cast<int>(random_() % static_cast<uint64_t>(below)); }

  /// Mostly what was made last, so that there is some length.
  Value any() {
    const auto size = static_cast<int>(values_.size());
    const int back = pick(3) > 0 ? pick(std::min(size, 3)) : pick(size);
    return values_[static_cast<size_t>(size - 1 - back)];
  }

  Value parameter(Shape shape) {
    parameters_.push_back(b_.variable(fmt::format("p{}", parameters_.size()), {DType::f32, shape}));
    return parameters_.back();
  }

  Value node(int i) {
    const Value a = any();
    switch (pick(8)) {
      case 0:
        return tanh(a);
      case 1:
        return sigmoid(a) * any();
      case 2:
        return a + any();
      case 3:
        return tanh(matmul(a, parameter({kWidth, kWidth})));
      case 4:
        return layer_norm(a, parameter({kWidth}), parameter({kWidth}), 1e-5);
      case 5: {
        const Builder::Scope scope(b_, fmt::format("n{}", i));
        return dropout(a, 0.2);
      }
      case 6:
        return reshape(tanh(reshape(a, {kWidth, kRows})), {kRows, kWidth});
      default:
        return matmul(bias_gelu(matmul(a, parameter({kWidth, 4 * kWidth})), parameter({4 * kWidth})),
                      parameter({4 * kWidth, kWidth}));
    }
  }

  std::mt19937_64 random_;
  Graph graph_;
  Builder b_{graph_};
  std::vector<Value> values_;
  std::vector<Value> parameters_;
};

/// The loss and all variables after one step, as bytes.
std::string bits_after_a_step(const Graph& graph, CompiledGraph compiled) {
  ThreadPool pool(1);
  Variables variables;
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 0.2F);
  std::vector<std::string> names;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op != Op::variable) continue;
    names.push_back(node.attributes_as<LeafAttributes>().name);
    const Tensor t = variables.create(names.back(), node.outputs[0]);
    for (int64_t i = 0; i < t.elements(); ++i) t.as<float>()[i] = normal(random);
  }
  Program program(std::move(compiled), {.threads = &pool, .variables = &variables});
  const Tensor x = program.input("x");
  for (int64_t i = 0; i < x.elements(); ++i) x.as<float>()[i] = normal(random);
  program.run({.seed = 3, .step = 11});
  std::string bits(program.output("loss").as<char>(), 4);
  for (const std::string& name : names) {
    const Tensor t = variables.get(name);
    bits.append(t.as<char>(), static_cast<size_t>(t.elements()) * 4);
  }
  return bits;
}

TEST(RematRandomTest, ResultsHaveTheSameBitsWithinAnyBudget) {
  int with_less = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const RandomNetwork network(seed);
    const Graph& graph = network.graph();
    CompiledGraph without = compile(graph, {.remat = {.free_replays = false}});
    const int64_t most = without.plan.arena_bytes;
    const std::string expected = bits_after_a_step(graph, std::move(without));
    EXPECT_EQ(bits_after_a_step(graph, compile(graph, {})), expected) << "seed " << seed;
    const int64_t least = least_arena_bytes(graph, {});
    ASSERT_LE(least, most) << "seed " << seed;
    with_less += least < most * 3 / 4 ? 1 : 0;
    for (int i = 0; i < 3; ++i) {
      const int64_t budget = least + (most - least) * i / 3;
      CompiledGraph within = compile(graph, {.remat = {.budget_bytes = budget}});
      EXPECT_LE(within.plan.arena_bytes, budget) << "seed " << seed;
      EXPECT_EQ(bits_after_a_step(graph, std::move(within)), expected) << "seed " << seed << ", " << budget << " bytes";
    }
  }
  EXPECT_GT(with_less, 10);
}

}  // namespace
}  // namespace sesame
