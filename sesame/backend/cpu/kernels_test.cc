#include "sesame/backend/cpu/kernels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "sesame/backend/ref/interpreter.h"
#include "sesame/base/error.h"
#include "sesame/base/philox.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/simd/each_instruction_set.h"

namespace sesame {
namespace {

/// A graph of one op under test and its outputs on one backend, with inputs drawn from one fixed stream.
struct Experiment {
  std::function<std::vector<Value>(Builder&)> build;
  double low = -1.5;
  double high = 1.5;
  /// The values of int32 inputs.
  int32_t least_id = 0;
  int32_t most_ids = 1;
};

using Outputs = std::vector<std::vector<float>>;

void fill(const Tensor& tensor, const Experiment& experiment, std::mt19937& random) {
  std::uniform_real_distribution<float> real(static_cast<float>(experiment.low), static_cast<float>(experiment.high));
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    switch (tensor.type.dtype) {
      case DType::f32:
        tensor.as<float>()[i] = real(random);
        break;
      case DType::f64:
        tensor.as<double>()[i] = real(random);
        break;
      case DType::i32:
        tensor.as<int32_t>()[i] =
            experiment.least_id + static_cast<int32_t>(random() % static_cast<uint32_t>(experiment.most_ids));
        break;
      case DType::boolean:
        tensor.as<uint8_t>()[i] = static_cast<uint8_t>(random() % 2);
        break;
    }
  }
}

Outputs run(const Experiment& experiment, const Backend& backend, int threads, StepState state = {3, 7}) {
  Graph graph;
  Builder builder(graph);
  const std::vector<Value> outputs = experiment.build(builder);
  ThreadPool pool(threads);
  Interpreter interpreter(graph, backend, pool);
  std::mt19937 random(11);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op == Op::input) fill(interpreter.value({id, 0}), experiment, random);
  }
  interpreter.run(state);
  Outputs results;
  for (const Value output : outputs) {
    const Tensor tensor = interpreter.value(output.ref());
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    for (size_t i = 0; i < values.size(); ++i) {
      switch (tensor.type.dtype) {
        case DType::f32:
          values[i] = tensor.as<float>()[i];
          break;
        case DType::f64:
          values[i] = static_cast<float>(tensor.as<double>()[i]);
          break;
        case DType::i32:
          values[i] = static_cast<float>(tensor.as<int32_t>()[i]);
          break;
        case DType::boolean:
          values[i] = tensor.as<uint8_t>()[i];
          break;
      }
    }
    results.push_back(std::move(values));
  }
  return results;
}

/// One output equals the reference's up to `tolerance` of its largest magnitude.
void expect_close(const std::vector<float>& actual, const std::vector<float>& expected, double tolerance,
                  const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double scale = 1e-6, worst = 0;
  size_t at = 0;
  for (const float value : expected) scale = std::max(scale, std::abs(static_cast<double>(value)));
  for (size_t i = 0; i < expected.size(); ++i) {
    const double error = std::abs(static_cast<double>(expected[i]) - static_cast<double>(actual[i]));
    if (error <= worst) continue;
    worst = error;
    at = i;
  }
  EXPECT_LE(worst, tolerance * scale) << what << " element " << at << ": " << actual[at] << " for " << expected[at];
}

/// The CPU's outputs equal the reference's on every instruction set, and are the same bits for one to three threads.
void expect_agreement(const Experiment& experiment, double tolerance, const std::string& what) {
  const Outputs expected = run(experiment, ref_backend(), 1);
  for_each_instruction_set([&](const char* instructions) {
    const Outputs actual = run(experiment, cpu_backend(), 1);
    const Outputs again[] = {run(experiment, cpu_backend(), 2), run(experiment, cpu_backend(), 3)};
    for (size_t o = 0; o < expected.size(); ++o) {
      const std::string name = what + " on " + instructions + ": output " + std::to_string(o);
      expect_close(actual[o], expected[o], tolerance, name);
      for (const Outputs& other : again) {
        EXPECT_EQ(std::memcmp(actual[o].data(), other[o].data(), actual[o].size() * sizeof(float)), 0)
            << name << " depends on the number of threads";
      }
    }
  });
}

Value input(Builder& b, const char* name, const Shape& shape) { return b.input(name, {DType::f32, shape}); }

std::vector<Value> all_outputs(Builder& b, Op op, const Attributes& attributes, const std::vector<Value>& inputs) {
  return b.append(op, attributes, inputs, std::source_location::current());
}

TEST(CpuElementwise, BroadcastsLikeTheReference) {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{5, 7}, {5, 7}},
      {{5, 7}, {7}},
      {{5, 7}, Shape{}},
      {Shape{}, {3, 19}},
      {{5, 1}, {1, 7}},
      {{2, 1, 4}, {3, 1}},
      {{2, 3, 4, 5}, {3, 1, 5}},
      {{1, 1}, {1}},
      {{40, 1000}, {40, 1}},
      {{3, 20000}, {20000}},
      {{6, 5, 4, 3, 2, 2}, {5, 1, 3, 1, 2}},
      {{17, 33}, {1, 33}},
      {Shape{}, Shape{}},
  };
  for (const auto& [a, b] : shapes) {
    for (const Op op : {Op::add, Op::sub, Op::mul, Op::div, Op::less}) {
      const auto build = [op, a = a, b = b](Builder& builder) {
        return all_outputs(builder, op, NoAttributes{}, {input(builder, "a", a), input(builder, "b", b)});
      };
      expect_agreement({.build = build}, op == Op::div ? 2e-7 : 0, a.to_string() + " and " + b.to_string());
    }
    const auto build = [a = a, b = b](Builder& builder) {
      return std::vector<Value>{
          select(builder.input("c", {DType::boolean, b}), input(builder, "a", a), input(builder, "b", b))};
    };
    expect_agreement({.build = build}, 0, "select " + a.to_string());
  }
}

TEST(CpuElementwise, FunctionsOfOneOperandAgree) {
  for (const int64_t n : {1, 7, 8, 15, 16, 17, 100, 40000}) {
    for (const Op op : {Op::neg, Op::exp, Op::log, Op::sqrt, Op::tanh, Op::sigmoid}) {
      const bool positive = op == Op::log || op == Op::sqrt;
      const auto build = [op, n](Builder& b) { return all_outputs(b, op, NoAttributes{}, {input(b, "x", {n})}); };
      expect_agreement({.build = build, .low = positive ? 0.0 : -20.0, .high = positive ? 9.0 : 20.0}, 5e-7,
                       std::string(name_of(op)));
    }
  }
}

TEST(CpuDropout, DropsTheElementsThatTheRuleNames) {
  const StepState state{12345678901234567ull, 987654321987ull};
  const int64_t n = 50001, key = -77;
  const double rate = 0.37;
  const auto build = [&](Builder& b) {
    return all_outputs(b, Op::dropout, DropoutAttributes{rate, key}, {b.constant(1, {DType::f32, {n}})});
  };
  const std::vector<float> y = run({.build = build}, cpu_backend(), 2, state)[0];
  const Philox philox(state.seed, static_cast<uint64_t>(key));
  int64_t dropped = 0;
  for (int64_t i = 0; i < n; ++i) {
    const bool drop = philox.word(static_cast<uint64_t>(i), state.step) < static_cast<uint64_t>(rate * 4294967296.0);
    dropped += drop ? 1 : 0;
    ASSERT_EQ(y[static_cast<size_t>(i)], drop ? 0.0f : static_cast<float>(1 / (1 - rate))) << "element " << i;
  }
  EXPECT_NEAR(static_cast<double>(dropped) / static_cast<double>(n), rate, 0.01);
}

TEST(CpuLayout, PermutesEveryOrder) {
  std::vector<int64_t> order = {0, 1, 2, 3};
  do {
    for (const Shape& shape : {Shape{3, 5, 2, 7}, Shape{1, 33, 17, 1}, Shape{2, 40, 3, 64}, Shape{1, 1, 1, 1}}) {
      const auto build = [&](Builder& b) { return std::vector<Value>{permute(input(b, "x", shape), order)}; };
      expect_agreement({.build = build}, 0, shape.to_string());
    }
  } while (std::ranges::next_permutation(order).found);
}

TEST(CpuLayout, MovesRangesOfAnyAxis) {
  for (const int64_t axis : {0, 1, 2}) {
    const auto build = [axis](Builder& b) {
      const Value x = input(b, "x", {4, 6, 5});
      const Value ids = b.input("ids", {DType::i32, {4, 6, 5}});
      return std::vector<Value>{slice(x, axis, 1, 3),
                                pad(x, axis, 2, 11),
                                slice(ids, axis, 0, 2),
                                pad(ids, axis, 3, 9),
                                broadcast_to(slice(x, axis, 2, 1), {3, 4, 6, 5}),
                                permute(ids, {2, 0, 1})};
    };
    expect_agreement({.build = build, .most_ids = 1000}, 0, "axis " + std::to_string(axis));
  }
}

TEST(CpuReduce, AgreesForEverySetOfAxes) {
  for (const Shape& shape : {Shape{3, 5, 7, 9}, Shape{2, 1, 300, 4}, Shape{40, 3, 2, 70}, Shape{1, 1, 1, 1}}) {
    for (int set = 1; set < 16; ++set) {
      std::vector<int64_t> axes;
      for (int64_t axis = 0; axis < 4; ++axis) {
        if ((set >> axis & 1) != 0) axes.push_back(axis);
      }
      const auto build = [&](Builder& b) {
        const Value x = input(b, "x", shape);
        return std::vector<Value>{reduce_sum(x, axes), reduce_max(x, axes)};
      };
      expect_agreement({.build = build}, 4e-6, shape.to_string() + " set " + std::to_string(set));
    }
  }
}

TEST(CpuReduce, SharesFewLongSumsAmongThreads) {
  for (const Shape& shape : {Shape{5000, 33}, Shape{2, 200001}, Shape{300000, 1}, Shape{700, 1500}}) {
    for (const int64_t axis : {0, 1}) {
      const auto build = [&](Builder& b) {
        const Value x = input(b, "x", shape);
        return std::vector<Value>{reduce_sum(x, {axis}), reduce_sum(x), reduce_max(x, {axis})};
      };
      expect_agreement({.build = build, .low = 0}, 2e-6, shape.to_string());
    }
  }
}

TEST(CpuReduce, KeepsNaN) {
  const auto build = [](Builder& b) {
    const Value x = input(b, "x", {3, 21});
    return std::vector<Value>{reduce_max(x, {0}), reduce_max(x, {1})};
  };
  const Outputs outputs = run({.build = build, .low = NAN, .high = NAN}, cpu_backend(), 1);
  for (const auto& output : outputs) {
    for (const float value : output) EXPECT_TRUE(std::isnan(value));
  }
}

TEST(CpuNorm, AgreesForwardAndBackward) {
  for (const Shape& x : {Shape{1, 1}, Shape{3, 7}, Shape{2, 5, 64}, Shape{100, 129}, Shape{7, 2050}, Shape{4000, 24}}) {
    const Shape rows(x.dims().first(static_cast<size_t>(x.rank() - 1)));
    const auto build = [&](Builder& b) {
      const Value gain = input(b, "gain", {x[-1]}), bias = input(b, "bias", {x[-1]});
      const Value values = input(b, "x", x), dy = input(b, "dy", x);
      const auto layer = all_outputs(b, Op::layer_norm, NormAttributes{1e-5}, {values, gain, bias});
      const auto rms = all_outputs(b, Op::rms_norm, NormAttributes{1e-6}, {values, gain});
      auto outputs = layer;
      outputs.insert(outputs.end(), rms.begin(), rms.end());
      for (const Value v :
           all_outputs(b, Op::layer_norm_grad, NormAttributes{1e-5}, {values, gain, layer[1], layer[2], dy}))
        outputs.push_back(v);
      for (const Value v : all_outputs(b, Op::rms_norm_grad, NormAttributes{1e-6}, {values, gain, rms[1], dy}))
        outputs.push_back(v);
      return outputs;
    };
    if (x[-1] == 1) continue;  // all zeros up to rounding
    expect_agreement({.build = build}, 2e-5, x.to_string());
  }
}

TEST(CpuActivation, AgreesForwardAndBackward) {
  for (const Shape& x :
       {Shape{1, 2}, Shape{3, 14}, Shape{2, 5, 64}, Shape{100, 130}, Shape{7, 2050}, Shape{4000, 24}}) {
    const auto build = [&](Builder& b) {
      const Value bias = input(b, "bias", {x[-1]}), values = input(b, "x", x), dy = input(b, "dy", x);
      const Value half_dy = input(b, "half", x.with(-1, x[-1] / 2));
      std::vector<Value> outputs = {bias_gelu(values, bias), swiglu(values)};
      for (const Value v : all_outputs(b, Op::bias_gelu_grad, NoAttributes{}, {values, bias, dy})) outputs.push_back(v);
      outputs.push_back(all_outputs(b, Op::swiglu_grad, NoAttributes{}, {values, half_dy})[0]);
      return outputs;
    };
    expect_agreement({.build = build, .low = -6, .high = 6}, 2e-6, x.to_string());
  }
}

TEST(CpuEmbedding, AgreesAndAddsInOrder) {
  for (const int64_t width : {1, 5, 64, 200}) {
    const auto build = [width](Builder& b) {
      const Value ids = b.input("ids", {DType::i32, {9, 31}});
      const Value grad = input(b, "grad", {9, 31, width}), table = input(b, "table", {40, width});
      return std::vector<Value>{embedding(table, ids), embedding_grad(grad, ids, 40),
                                embedding_grad(grad, ids, 40, table), one_hot(ids, 33, DType::f32)};
    };
    expect_agreement({.build = build, .most_ids = 40}, 1e-6, "width " + std::to_string(width));
  }
}

TEST(CpuEmbedding, NamesTheIdThatIsNoRow) {
  for (const int32_t id : {-1, 40}) {
    const auto build = [](Builder& b) {
      return std::vector<Value>{embedding(input(b, "table", {40, 3}), b.input("ids", {DType::i32, {2, 2}}))};
    };
    try {
      run({.build = build, .least_id = id}, cpu_backend(), 1);
      FAIL() << "no error for id " << id;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("id " + std::to_string(id) + " at position 0"),
                                               testing::HasSubstr("40 rows")));
    }
  }
}

TEST(CpuRope, AgreesAndTurnsBack) {
  for (const int64_t head_dim : {2, 6, 64, 80}) {
    const RopeAttributes turn{3, head_dim, 10000, 2.0, false};
    RopeAttributes back = turn;
    back.inverse = true;
    const auto build = [&](Builder& b) {
      const Value x = input(b, "x", {2, 37, 4 * head_dim + 1}), start = b.input("start", {DType::i32, {1}});
      const Value turned = all_outputs(b, Op::rope, turn, {x, start})[0];
      return std::vector<Value>{turned, all_outputs(b, Op::rope, back, {turned, start})[0], x};
    };
    const Experiment experiment = {.build = build, .least_id = 1000};
    expect_agreement(experiment, 1e-6, "head_dim " + std::to_string(head_dim));
    const Outputs outputs = run(experiment, cpu_backend(), 2);
    for (size_t i = 0; i < outputs[1].size(); ++i) ASSERT_NEAR(outputs[1][i], outputs[2][i], 1e-6);
  }
}

TEST(CpuOptimizer, StepsLikeTheReference) {
  for (const int64_t n : {1, 15, 16, 1000, 40001}) {
    const AdamWAttributes attributes{.max_grad_norm = 0.5, .decayed = n / 3};
    const auto build = [&](Builder& b) {
      const Value gradients = input(b, "g", {n});
      const Value norm = sum_squares(gradients);
      const AdamWStep step = adamw(input(b, "p", {n}), gradients, input(b, "m", {n}), input(b, "v", {n}),
                                   input(b, "hyper", {3}), norm, attributes);
      return std::vector<Value>{norm, step.parameters, step.first_moment, step.second_moment};
    };
    expect_agreement({.build = build, .low = 0.01, .high = 1}, 1e-6, std::to_string(n));
  }
}

TEST(CpuOptimizer, WorksInPlace) {
  constexpr int64_t kElements = 20011;
  const Type flat{DType::f32, {kElements}};
  const auto buffer = [](float scale) {
    std::vector<float> values(kElements);
    for (size_t i = 0; i < values.size(); ++i) values[i] = scale * static_cast<float>(1 + i % 97);
    return values;
  };
  std::vector<float> hyper = {0.1f, 0.1f, 0.05f};
  Node node{};
  node.op = Op::adamw;
  node.attributes = AdamWAttributes{.decayed = 777};
  ThreadPool pool(2);
  const StepState state;
  const auto step = [&](bool in_place) {
    std::vector<float> p = buffer(0.01f), g = buffer(-0.02f), m = buffer(0.03f), v = buffer(0.04f);
    std::vector<float> new_p(kElements), new_m(kElements), new_v(kElements);
    const std::vector<Tensor> inputs = {
        {p.data(), flat}, {g.data(), flat}, {m.data(), flat}, {v.data(), flat}, {hyper.data(), {DType::f32, {3}}}};
    const std::vector<Tensor> outputs = {{in_place ? p.data() : new_p.data(), flat},
                                         {in_place ? m.data() : new_m.data(), flat},
                                         {in_place ? v.data() : new_v.data(), flat}};
    cpu_adamw.run({&node, inputs, outputs, nullptr, &state, &pool});
    return in_place ? std::vector{p, m, v} : std::vector{new_p, new_m, new_v};
  };
  EXPECT_EQ(step(true), step(false));
  EXPECT_NE(step(true)[0], buffer(0.01f));
}

}  // namespace
}  // namespace sesame
