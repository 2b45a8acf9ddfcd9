// Every op, held to its contract through the cases of op_cases.h: gradients against finite differences, fast kernels
// against the reference, fused ops against their decompositions, one thread against several, and Program against the
// plain interpreter.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "sesame/backend/op_cases.h"
#include "sesame/backend/ref/interpreter.h"
#include "sesame/base/hash.h"
#include "sesame/base/philox.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/lower.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/passes/vjp.h"
#include "sesame/runtime/program.h"

namespace sesame {

void PrintTo(Op op, std::ostream* out) { *out << name_of(op); }

namespace {

constexpr uint64_t kSeed = 20;
constexpr StepState kState{.seed = 3, .step = 11};

std::vector<const OpCase*> cases_of(Op op) {
  std::vector<const OpCase*> cases;
  for (const OpCase& op_case : op_cases()) {
    if (op_case.op == op) cases.push_back(&op_case);
  }
  return cases;
}

bool has_kernel(const Backend& backend, const Graph& graph, const Node& node) {
  return backend.find(node.op, kernel_dtype(graph, node)) != nullptr;
}

std::vector<double> as_doubles(const Tensor& tensor) {
  std::vector<double> values(static_cast<size_t>(tensor.elements()));
  for (size_t i = 0; i < values.size(); ++i) {
    switch (tensor.type.dtype) {
      case DType::f32:
        values[i] = tensor.as<const float>()[i];
        break;
      case DType::f64:
        values[i] = tensor.as<const double>()[i];
        break;
      case DType::i32:
        values[i] = tensor.as<const int32_t>()[i];
        break;
      case DType::boolean:
        values[i] = tensor.as<const uint8_t>()[i];
        break;
    }
  }
  return values;
}

/// The named outputs of a case's graph (as it is, or after a pass) on one backend.
std::vector<Tensor> run_outputs(Interpreter& interpreter, const Graph& graph, std::span<const CaseInput> inputs) {
  for (const CaseInput& input : inputs) fill(input, kSeed, interpreter.leaf(input.name));
  interpreter.run(kState);
  std::vector<Tensor> outputs;
  for (const Graph::Output& output : graph.outputs()) outputs.push_back(interpreter.output(output.name));
  return outputs;
}

void expect_close(std::span<const Tensor> actual, std::span<const Tensor> expected, double tolerance,
                  double least_magnitude) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t o = 0; o < actual.size(); ++o) {
    ASSERT_EQ(actual[o].type.shape, expected[o].type.shape);
    const std::vector<double> a = as_doubles(actual[o]);
    const std::vector<double> e = as_doubles(expected[o]);
    double largest = least_magnitude;
    for (const double value : e) largest = std::max(largest, std::abs(value));
    ASSERT_TRUE(std::isfinite(largest)) << "output " << o;
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_LE(std::abs(a[i] - e[i]), tolerance * largest)
          << "output " << o << ", element " << i << " of " << a.size() << ": " << a[i] << " against " << e[i];
    }
  }
}

void expect_same_bits(std::span<const Tensor> a, std::span<const Tensor> b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t o = 0; o < a.size(); ++o) {
    ASSERT_EQ(a[o].type, b[o].type);
    EXPECT_EQ(std::memcmp(a[o].data, b[o].data, static_cast<size_t>(a[o].type.bytes())), 0) << "output " << o;
  }
}

/// The gradient of a random linear functional of a case's results, computed by the pass, and the functional itself.
class GradientProbe {
 public:
  explicit GradientProbe(const OpCase& op_case)
      : built_(op_case, DType::f64), forward_(built_.graph), joint_(forward_) {
    const Ref loss = append_loss(forward_);
    append_loss(joint_);
    Builder builder(joint_);
    std::vector<Value> variables;
    for (const CaseInput& input : built_.inputs) {
      if (input.differentiable) variables.emplace_back(&builder, Ref{joint_.find_leaf(input.name), 0});
    }
    grads_ = gradients(builder, Value(&builder, loss), variables);
    for (size_t i = 0; i < grads_.size(); ++i) joint_.output(fmt::format("grad{}", i), grads_[i].ref());
    forward_.output("loss", loss);
    verify(joint_);
  }

  /// The derivative along the direction that `along` picks (null: all inputs at once), from the pass ...
  double analytic(const CaseInput* along) {
    Interpreter interpreter(joint_, ref_backend(), threads_);
    fill_leaves(interpreter, 0, along);
    interpreter.run(kState);
    double sum = 0;
    int count = 0;
    for (const CaseInput& input : built_.inputs) {
      if (!input.differentiable) continue;
      const std::vector<double> grad = as_doubles(interpreter.output(fmt::format("grad{}", count++)));
      if (along != nullptr && along != &input) continue;
      for (size_t i = 0; i < grad.size(); ++i) sum += grad[i] * direction(input, i);
    }
    return sum;
  }

  /// ... and from differences: (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12 h, whose error is of order h^4.
  double numeric(double step, const CaseInput* along) {
    Interpreter interpreter(forward_, ref_backend(), threads_);
    const auto loss_at = [&](double distance) {
      fill_leaves(interpreter, distance, along);
      interpreter.run(kState);
      return *interpreter.output("loss").as<double>();
    };
    const double far = loss_at(-2 * step) - loss_at(2 * step);
    const double near = loss_at(step) - loss_at(-step);
    return (far + 8 * near) / (12 * step);
  }

  [[nodiscard]] std::span<const CaseInput> inputs() const { return built_.inputs; }

  /// The case, the functional's weights and the gradients in one graph, and all that it reads.
  [[nodiscard]] const Graph& joint() const { return joint_; }
  [[nodiscard]] std::vector<CaseInput> joint_inputs() const {
    std::vector<CaseInput> all = built_.inputs;
    all.insert(all.end(), weights_.begin(), weights_.end());
    return all;
  }

 private:
  /// sum over results of sum(result * random weights)
  Ref append_loss(Graph& graph) {
    Builder builder(graph);
    Value loss = builder.constant(0, {DType::f64, Shape{}});
    weights_.clear();
    for (const Ref ref : built_.results) {
      const Value result(&builder, ref);
      if (!is_floating(result.dtype())) continue;
      weights_.push_back({fmt::format("weights{}", weights_.size()), {DType::f64, result.shape()}, -1, 1, false});
      const Value weights = builder.input(weights_.back().name, weights_.back().type);
      loss = loss + reshape(reduce_sum(cast(result, DType::f64) * weights), Shape{});
    }
    return loss.ref();
  }

  static double direction(const CaseInput& input, size_t i) {
    const Philox random(99, xxh3(input.name));
    return 2.0 * Philox::uniform(random.word(i, 0)) - 1;
  }

  void fill_leaves(Interpreter& interpreter, double distance, const CaseInput* along) {
    for (const CaseInput& weights : weights_) fill(weights, kSeed, interpreter.leaf(weights.name));
    for (const CaseInput& input : built_.inputs) {
      const Tensor tensor = interpreter.leaf(input.name);
      fill(input, kSeed, tensor);
      if (!input.differentiable || (along != nullptr && along != &input)) continue;
      for (int64_t i = 0; i < tensor.elements(); ++i) {
        tensor.as<double>()[i] += distance * direction(input, static_cast<size_t>(i));
      }
    }
  }

  BuiltCase built_;
  Graph forward_;
  Graph joint_;
  std::vector<Value> grads_;
  std::vector<CaseInput> weights_;
  ThreadPool threads_{1};
};

std::vector<Op> ops_where(bool (*holds)(const OpDef&)) {
  std::vector<Op> ops;
  for (int i = 0; i < kOpCount; ++i) {
    if (holds(op_def(static_cast<Op>(i)))) ops.push_back(static_cast<Op>(i));
  }
  return ops;
}

std::string test_name(const testing::TestParamInfo<Op>& op) { return std::string(name_of(op.param)); }

class OpTest : public testing::TestWithParam<Op> {
 protected:
  [[nodiscard]] static Op op() { return GetParam(); }
  [[nodiscard]] static std::vector<const OpCase*> cases() { return cases_of(op()); }
};
INSTANTIATE_TEST_SUITE_P(All, OpTest, testing::ValuesIn(ops_where([](const OpDef&) { return true; })), test_name);

class DifferentiableOpTest : public OpTest {};
INSTANTIATE_TEST_SUITE_P(All, DifferentiableOpTest,
                         testing::ValuesIn(ops_where([](const OpDef& def) { return def.vjp != nullptr; })), test_name);

class FusedOpTest : public OpTest {};
INSTANTIATE_TEST_SUITE_P(All, FusedOpTest,
                         testing::ValuesIn(ops_where([](const OpDef& def) { return def.decompose != nullptr; })),
                         test_name);

TEST_P(OpTest, IsCovered) {
  int differentiable = 0;
  std::set<std::string> names;
  for (const OpCase* op_case : cases()) {
    differentiable += op_case->differentiable ? 1 : 0;
    names.insert(op_case->name());
  }
  EXPECT_GE(names.size(), 3u) << "op_cases.cc: at least three different cases of " << name_of(op());
  EXPECT_EQ(names.size(), cases().size()) << "two cases of one name";
  EXPECT_EQ(differentiable > 0, op_def(op()).vjp != nullptr)
      << name_of(op()) << ": a gradient rule needs a differentiable case, and only a rule can have one";
  EXPECT_FALSE(op_def(op()).doc.empty());
}

TEST_P(DifferentiableOpTest, GradientEqualsFiniteDifferences) {
  for (const OpCase* op_case : cases()) {
    if (!op_case->differentiable) continue;
    SCOPED_TRACE(op_case->name());
    GradientProbe probe(*op_case);
    const auto disagree = [&](const CaseInput* along, std::string* numbers) {
      const double analytic = probe.analytic(along);
      const double numeric = probe.numeric(op_case->gradient_step, along);
      *numbers = fmt::format("the rule gives {:.12g}, differences {:.12g}", analytic, numeric);
      return !(std::abs(analytic - numeric) <= op_case->gradient_tolerance * (std::abs(analytic) + 1e-3));
    };
    std::string numbers;
    if (!disagree(nullptr, &numbers)) continue;
    for (const CaseInput& input : probe.inputs()) {
      std::string own;
      if (input.differentiable && disagree(&input, &own)) numbers += fmt::format("\n{}: {}", input.name, own);
    }
    ADD_FAILURE() << numbers;
  }
}

/// Differences cannot tell how a gradient is shared among equal maxima; this can.
TEST(ReduceMaxTest, EqualMaximaShareTheGradient) {
  Graph graph;
  Builder builder(graph);
  const Value x = builder.input("x", {DType::f64, {4}});
  const Value loss = reshape(reduce_max(x), Shape{});
  graph.output("grad", gradients(builder, loss, std::vector{x}, 6.0)[0].ref());
  ThreadPool threads(1);
  Interpreter interpreter(graph, ref_backend(), threads);
  std::ranges::copy(std::vector{5.0, 1.0, 5.0, 5.0}, interpreter.leaf("x").as<double>());
  interpreter.run(kState);
  EXPECT_THAT(as_doubles(interpreter.output("grad")), testing::ElementsAre(2, 0, 2, 2));
}

TEST_P(OpTest, FastKernelEqualsReference) {
  ThreadPool threads(1);
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase exact(*op_case, DType::f64);
    Interpreter reference(exact.graph, ref_backend(), threads);
    const auto expected = run_outputs(reference, exact.graph, exact.inputs);

    const BuiltCase built(*op_case, DType::f32);
    const auto served = [](const Graph& g, const Node& n) { return has_kernel(cpu_backend(), g, n); };
    const Graph lowered = lower(built.graph, served);
    Interpreter fast(lowered, cpu_backend(), threads);
    expect_close(run_outputs(fast, lowered, built.inputs), expected, op_case->tolerance, op_case->least_magnitude);
  }
}

TEST_P(OpTest, ReferenceInFloat32EqualsFloat64) {
  ThreadPool threads(1);
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase exact(*op_case, DType::f64);
    Interpreter reference(exact.graph, ref_backend(), threads);
    const auto expected = run_outputs(reference, exact.graph, exact.inputs);
    const BuiltCase built(*op_case, DType::f32);
    Interpreter single(built.graph, ref_backend(), threads);
    expect_close(run_outputs(single, built.graph, built.inputs), expected, op_case->tolerance,
                 op_case->least_magnitude);
  }
}

TEST_P(FusedOpTest, DecompositionEqualsFusedOp) {
  ThreadPool threads(1);
  const auto all_but_this = [&](const Graph&, const Node& node) { return node.op != op(); };
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase built(*op_case, DType::f64);
    Interpreter fused(built.graph, ref_backend(), threads);
    const auto expected = run_outputs(fused, built.graph, built.inputs);

    const Graph lowered = lower(built.graph, all_but_this);
    verify(lowered);
    for (NodeId id = 0; id < lowered.size(); ++id) ASSERT_NE(lowered.node(id).op, op());
    Interpreter composed(lowered, ref_backend(), threads);
    expect_close(run_outputs(composed, lowered, built.inputs), expected, 1e-11, op_case->least_magnitude);
  }
}

TEST_P(OpTest, SameBitsForAnyNumberOfThreads) {
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase built(*op_case, DType::f32);
    const auto served = [](const Graph& g, const Node& n) { return has_kernel(cpu_backend(), g, n); };
    const Graph lowered = lower(built.graph, served);
    ThreadPool one(1);
    Interpreter alone(lowered, cpu_backend(), one);
    const auto expected = run_outputs(alone, lowered, built.inputs);
    for (const int count : {2, 3}) {
      ThreadPool several(count);
      Interpreter together(lowered, cpu_backend(), several);
      expect_same_bits(run_outputs(together, lowered, built.inputs), expected);
    }
  }
}

/// A graph run as a program (simplified, planned, in place) and by the interpreter.
void expect_program_equals_interpreter(const Graph& graph, std::span<const CaseInput> inputs, const Backend& backend,
                                       double tolerance, double least_magnitude) {
  ThreadPool threads(2);
  const auto served = [&](const Graph& g, const Node& n) { return has_kernel(backend, g, n); };
  const Graph lowered = lower(graph, served);
  Interpreter interpreter(lowered, backend, threads);
  const auto expected = run_outputs(interpreter, lowered, inputs);

  Variables variables;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op != Op::variable) continue;
    const auto& leaf = graph.node(id).attributes_as<LeafAttributes>();
    if (!variables.contains(leaf.name)) variables.create(leaf.name, leaf.type);
  }
  Program program(graph, {.backend = &backend, .threads = &threads, .variables = &variables});
  check_plan(program.graph(), program.plan());
  // The second run finds the first one's bytes in the arena.
  for (int run = 0; run < 2; ++run) {
    for (const CaseInput& input : inputs) fill(input, kSeed, program.input(input.name));
    program.run(kState);
    std::vector<Tensor> actual;
    for (const Graph::Output& output : graph.outputs()) actual.push_back(program.output(output.name));
    expect_close(actual, expected, tolerance, least_magnitude);
  }
}

TEST_P(OpTest, ProgramEqualsInterpreter) {
  for (const OpCase* op_case : cases()) {
    SCOPED_TRACE(op_case->name());
    const BuiltCase built(*op_case, DType::f32);
    expect_program_equals_interpreter(built.graph, built.inputs, cpu_backend(), op_case->tolerance,
                                      op_case->least_magnitude);
  }
}

TEST_P(DifferentiableOpTest, GradientProgramEqualsInterpreter) {
  for (const OpCase* op_case : cases()) {
    if (!op_case->differentiable) continue;
    SCOPED_TRACE(op_case->name());
    const GradientProbe probe(*op_case);
    expect_program_equals_interpreter(probe.joint(), probe.joint_inputs(), ref_backend(), 1e-12,
                                      op_case->least_magnitude);
  }
}

/// A graph of one case with its int32 input overwritten, run on a backend that must refuse it.
std::string refusal(const Backend& backend, const BuiltCase& built, const std::function<void(int32_t*)>& spoil) {
  ThreadPool threads(2);
  const auto served = [&](const Graph& g, const Node& n) { return has_kernel(backend, g, n); };
  const Graph lowered = lower(built.graph, served);
  Interpreter interpreter(lowered, backend, threads);
  for (const CaseInput& input : built.inputs) {
    const Tensor tensor = interpreter.leaf(input.name);
    fill(input, kSeed, tensor);
    if (input.type.dtype == DType::i32) spoil(tensor.as<int32_t>());
  }
  try {
    interpreter.run(kState);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

/// Values of int32 inputs, which no kernel may trust.
class BadValueTest : public testing::TestWithParam<const Backend*> {
 protected:
  std::string refused(Op op, const std::function<std::vector<Value>(CaseBuilder&)>& build,
                      const std::function<void(int32_t*)>& spoil) {
    return refusal(*GetParam(), BuiltCase({.op = op, .label = "bad values", .build = build}, DType::f32), spoil);
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, BadValueTest, testing::Values(&ref_backend(), &cpu_backend()),
                         [](const auto& backend) { return std::string(backend.param->name()); });

using testing::AllOf;
using testing::HasSubstr;

TEST_P(BadValueTest, EmbeddingIds) {
  const auto build = [](CaseBuilder& c) { return std::vector{embedding(c.real({50, 3}), c.whole({2, 9}, 0, 50))}; };
  EXPECT_THAT(refused(Op::embedding, build, [](int32_t* ids) { ids[13] = 50; }),
              AllOf(HasSubstr("embedding"), HasSubstr("id 50"), HasSubstr("position 13"), HasSubstr("[0, 50)")));
  EXPECT_THAT(refused(Op::embedding, build, [](int32_t* ids) { ids[0] = -7; }),
              AllOf(HasSubstr("id -7"), HasSubstr("position 0")));
}

TEST_P(BadValueTest, EmbeddingGradIds) {
  const auto build = [](CaseBuilder& c) {
    return std::vector{embedding_grad(c.real({9, 3}), c.whole({9}, 0, 50), 50)};
  };
  EXPECT_THAT(refused(Op::embedding_grad, build, [](int32_t* ids) { ids[8] = 2147483647; }),
              AllOf(HasSubstr("embedding_grad"), HasSubstr("id 2147483647"), HasSubstr("position 8")));
}

TEST_P(BadValueTest, Targets) {
  const auto build = [](CaseBuilder& c) {
    return std::vector{linear_cross_entropy(c.real({9, 3}), c.real({50, 3}), c.whole({9}, 0, 50))};
  };
  EXPECT_THAT(refused(Op::linear_cross_entropy, build, [](int32_t* targets) { targets[4] = 50; }),
              AllOf(HasSubstr("linear_cross_entropy"), HasSubstr("target 50"), HasSubstr("position 4")));
}

TEST_P(BadValueTest, StartOfCachedAttention) {
  const auto build = [](CaseBuilder& c) {
    const Value start = c.whole({1}, 0, 1);
    const CachedAttention step = cached_attention(c.real({1, 3, 6}), c.real({1, 8, 2}), c.real({1, 8, 2}), start, {});
    return std::vector{step.out};
  };
  const auto refuse = [&](int32_t start) {
    return refused(Op::cached_attention, build, [=](int32_t* value) { *value = start; });
  };
  EXPECT_EQ(refuse(5), "no error");
  EXPECT_THAT(refuse(6), AllOf(HasSubstr("cached_attention"), HasSubstr("6"), HasSubstr("8")));
  EXPECT_THAT(refuse(-1), AllOf(HasSubstr("cached_attention"), HasSubstr("-1")));
}

TEST_P(BadValueTest, StartOfRope) {
  const auto build = [](CaseBuilder& c) {
    const Value x = c.real({1, 3, 6});
    return std::vector{rope(x, c.whole({1}, 0, 1), {.heads = 1, .head_dim = 4})};
  };
  EXPECT_THAT(refused(Op::rope, build, [](int32_t* start) { *start = -2; }), AllOf(HasSubstr("rope"), HasSubstr("-2")));
}

/// A table for the documentation, printed on demand: --gtest_filter='*SupportTable*'.
TEST(OpDocumentation, SupportTable) {
  const auto dtypes = [](const Backend& backend, Op op) {
    std::string names;
    for (const DType dtype : {DType::f32, DType::f64, DType::i32, DType::boolean}) {
      if (backend.find(op, dtype) != nullptr) names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(dtype));
    }
    return names.empty() ? std::string("-") : names;
  };
  std::string table = "| op | what | gradient | decomposition | ref | cpu |\n|---|---|---|---|---|---|\n";
  for (const Op op : ops_where([](const OpDef&) { return true; })) {
    const OpDef& def = op_def(op);
    const bool runs = !def.view && op != Op::input && op != Op::variable;
    table += fmt::format("| {} | {} | {} | {} | {} | {} |\n", def.name, def.doc, def.vjp != nullptr ? "yes" : "-",
                         def.decompose != nullptr ? "yes" : "-", dtypes(ref_backend(), op), dtypes(cpu_backend(), op));
    EXPECT_EQ(runs, dtypes(ref_backend(), op) != "-") << def.name;
  }
  if (GTEST_FLAG_GET(filter).find("SupportTable") != std::string::npos) fmt::print("{}", table);
}

}  // namespace
}  // namespace sesame
