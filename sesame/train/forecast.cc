#include "sesame/train/forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/analyze/flops.h"
#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

double bytes_of(const Graph& graph) {
  double bytes = 0;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op != Op::variable && node.op != Op::input && node.op != Op::constant && !op_def(node.op).view)
      bytes += cost_of(graph, node).bytes;
  }
  return bytes;
}

/// Parameters that matrix products read: the second operand of products, output projection included.
int64_t matmul_parameters(const Graph& graph) {
  std::vector<NodeId> leaves;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (node.op != Op::matmul && node.op != Op::linear_cross_entropy) continue;
    const NodeId right = node.inputs[1].node;
    if (graph.node(right).op == Op::variable) leaves.push_back(right);
  }
  std::sort(leaves.begin(), leaves.end());
  leaves.erase(std::unique(leaves.begin(), leaves.end()), leaves.end());
  int64_t count = 0;
  for (const NodeId id : leaves) count += graph.node(id).outputs[0].shape.elements();
  return count;
}

}  // namespace

double Forecast::seconds_per_step(const MachineSpeed& machine) const {
  if (measured_seconds) return *measured_seconds;
  constexpr double kShareOfPeak = 0.7;
  return model_flops_per_step / (kShareOfPeak * machine.peak_gflops * 1e9) +
         static_cast<double>(update_bytes) / (machine.read_gbytes_s * 1e9);
}

Forecast forecast(const StepPlan& plan, const MeasuredCosts* costs) {
  constexpr double kMostlyTimed = 0.8;  // the rest is estimated after calls like it
  Forecast f;
  f.parameters = count_of(plan.layout.order);
  f.matmul_parameters = matmul_parameters(plan.evaluation.graph);
  f.tokens_per_step = plan.options.tokens();
  f.overhead = plan.overhead();
  f.budget_bytes = plan.budget_bytes;
  f.arena_bytes = plan.arena_bytes();
  f.parameter_bytes = plan.parameter_bytes();
  f.gradient_bytes = f.parameter_bytes;
  f.moment_bytes = 2 * f.parameter_bytes;
  f.scopes = cost_by_scope(plan.gradient.graph, 3);
  double timed = 0;
  for (const StepPlan::Part& part : plan.parts()) {
    const auto runs = static_cast<double>(part.runs);
    f.model_flops_per_step += runs * model_flops(part.graph->graph);
    f.bytes_per_step += runs * bytes_of(part.graph->graph);
    if (costs != nullptr && part.runs > 0) timed += runs * costs->timed_seconds(part.graph->graph);
  }
  f.update_bytes = static_cast<int64_t>(bytes_of(plan.norm.graph) + bytes_of(plan.update.graph));
  if (timed > kMostlyTimed * plan.seconds) f.measured_seconds = plan.seconds;
  return f;
}

Forecast forecast(const LossFunction& loss, const StepOptions& options, int threads) {
  return forecast(StepPlanner(loss, options, {.threads = threads}).plan({}));
}

void check_memory(const Forecast& forecast, uint64_t available) {
  if (static_cast<uint64_t>(forecast.total_bytes()) <= available) return;
  const auto shown = [](int64_t bytes) { return human_bytes(static_cast<uint64_t>(bytes)); };
  fail(fmt::format(
      "training needs {} of memory (step {}, parameters {}, gradients {}, moments {}) and the machine has {} free; "
      "lower train.batch_size (and raise train.accumulation), train.context or the model's size",
      shown(forecast.total_bytes()), shown(forecast.arena_bytes), shown(forecast.parameter_bytes),
      shown(forecast.gradient_bytes), shown(forecast.moment_bytes), human_bytes(available)));
}

}  // namespace sesame
