#include "sesame/train/forecast.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/analyze/flops.h"
#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/graph/op_def.h"
#include "sesame/runtime/compile.h"

namespace sesame {
namespace {

/// The arena of a plan as it is taken from the machine: in huge pages.
int64_t arena_bytes_of(const MemoryPlan& plan) {
  constexpr int64_t kPage = 2 << 20;
  return (plan.arena_bytes + kPage - 1) / kPage * kPage;
}

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
  constexpr double kShareOfPeak = 0.7;
  return model_flops_per_step / (kShareOfPeak * machine.peak_gflops * 1e9) +
         static_cast<double>(update_bytes) / (machine.read_gbytes_s * 1e9);
}

Forecast forecast(const LossFunction& loss, const StepOptions& options, int threads) {
  const StepGraphs graphs = build_step_graphs(loss, options);
  Forecast f;
  f.parameters = count_of(graphs.layout.order);
  f.matmul_parameters = matmul_parameters(graphs.evaluation);
  f.tokens_per_step = options.tokens();
  f.parameter_bytes = graphs.layout.elements * static_cast<int64_t>(sizeof(float));
  f.gradient_bytes = f.parameter_bytes;
  f.moment_bytes = 2 * f.parameter_bytes;

  const auto add = [&](const Graph& graph, int64_t runs) {
    CompiledGraph compiled = compile(graph, {.threads = threads});
    f.arena_bytes = std::max(f.arena_bytes, arena_bytes_of(compiled.plan));
    f.model_flops_per_step += static_cast<double>(runs) * model_flops(compiled.graph);
    f.bytes_per_step += static_cast<double>(runs) * bytes_of(compiled.graph);
    return compiled;
  };
  const CompiledGraph gradient = add(graphs.gradient, 1);
  f.scopes = cost_by_scope(gradient.graph, 3);
  if (graphs.accumulate) add(*graphs.accumulate, options.accumulation - 1);
  const double before_update = f.bytes_per_step;
  add(graphs.norm, 1);
  add(graphs.update, 1);
  f.update_bytes = static_cast<int64_t>(f.bytes_per_step - before_update);
  add(graphs.evaluation, 0);
  return f;
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
