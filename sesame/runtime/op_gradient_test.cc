// The gradient rule of every op against finite differences, through the same pass that models use.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/hash.h"
#include "sesame/base/philox.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/vjp.h"
#include "sesame/runtime/op_checks.h"

namespace sesame {
namespace {

using namespace op_checks;

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

class DifferentiableOpTest : public OpTest {};
INSTANTIATE_TEST_SUITE_P(All, DifferentiableOpTest,
                         testing::ValuesIn(ops_where([](const OpDef& def) { return def.vjp != nullptr; })), test_name);

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

TEST_P(DifferentiableOpTest, GradientProgramEqualsInterpreter) {
  for (const OpCase* op_case : cases()) {
    if (!op_case->differentiable) continue;
    SCOPED_TRACE(op_case->name());
    const GradientProbe probe(*op_case);
    expect_program_equals_interpreter(probe.joint(), probe.joint_inputs(), ref_backend(), 1e-12,
                                      op_case->least_magnitude);
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

}  // namespace
}  // namespace sesame
