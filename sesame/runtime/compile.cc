#include "sesame/runtime/compile.h"

#include <algorithm>

#include "sesame/graph/op_def.h"
#include "sesame/passes/fuse.h"
#include "sesame/passes/lower.h"
#include "sesame/passes/simplify.h"

namespace sesame {

bool runs_no_kernel(const Node& node) {
  return node.op == Op::input || node.op == Op::variable || op_def(node.op).view;
}

double roofline_seconds(const Graph& graph, const Node& node) {
  constexpr double kFlopsPerSecond = 100e9;
  constexpr double kBytesPerSecond = 10e9;
  const Cost cost = cost_of(graph, node);
  return std::max(cost.flops / kFlopsPerSecond, cost.bytes / kBytesPerSecond);
}

namespace {

/// What the passes ask of the options.
struct Target {
  const Backend& backend;
  const CompileOptions& options;

  explicit Target(const CompileOptions& o) : backend(o.backend != nullptr ? *o.backend : cpu_backend()), options(o) {}

  [[nodiscard]] const Kernel* kernel(const Graph& graph, const Node& node) const {
    return backend.find(node.op, kernel_dtype(graph, node));
  }
  [[nodiscard]] int64_t workspace(const Graph& graph, const Node& node) const {
    if (runs_no_kernel(node) || kernel(graph, node)->workspace == nullptr) return 0;
    return static_cast<int64_t>(kernel(graph, node)->workspace(node, graph.input_types(node), options.threads));
  }
  [[nodiscard]] double seconds(const Graph& graph, const Node& node) const {
    if (runs_no_kernel(node)) return 0;
    return options.seconds ? options.seconds(graph, node) : roofline_seconds(graph, node);
  }
  [[nodiscard]] Graph simple(const Graph& graph) const {
    const auto served = [&](const Graph& g, const Node& n) { return kernel(g, n) != nullptr; };
    const Graph simple = simplify(lower(simplify(graph), served));
    return backend.find(Op::fused, DType::f32) != nullptr ? fuse(simple) : simple;
  }
};

}  // namespace

CompiledGraph compile(const Graph& graph, const CompileOptions& options) {
  const Target target(options);
  const auto workspace = [&](const Graph& g, const Node& node) { return target.workspace(g, node); };
  const auto seconds = [&](const Graph& g, const Node& node) { return target.seconds(g, node); };
  RematResult remat = rematerialise(target.simple(graph), options.remat, {.seconds = seconds, .workspace = workspace});
  CompiledGraph compiled{std::move(remat.graph), {}, std::move(remat.report)};
  verify(compiled.graph);
  compiled.plan = plan_memory(compiled.graph, workspace);
  check_plan(compiled.graph, compiled.plan);
  return compiled;
}

int64_t least_arena_bytes(const Graph& graph, const CompileOptions& options) {
  const Target target(options);
  const auto workspace = [&](const Graph& g, const Node& node) { return target.workspace(g, node); };
  const auto seconds = [&](const Graph& g, const Node& node) { return target.seconds(g, node); };
  return least_budget(target.simple(graph), {.seconds = seconds, .workspace = workspace});
}

}  // namespace sesame
