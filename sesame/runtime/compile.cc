#include "sesame/runtime/compile.h"

#include "sesame/graph/op_def.h"
#include "sesame/passes/lower.h"
#include "sesame/passes/simplify.h"

namespace sesame {

bool runs_no_kernel(const Node& node) {
  return node.op == Op::input || node.op == Op::variable || op_def(node.op).view;
}

CompiledGraph compile(const Graph& graph, const CompileOptions& options) {
  const Backend& backend = options.backend != nullptr ? *options.backend : cpu_backend();
  const auto kernel = [&](const Graph& g, const Node& node) { return backend.find(node.op, kernel_dtype(g, node)); };
  const auto has_kernel = [&](const Graph& g, const Node& node) { return kernel(g, node) != nullptr; };
  const auto workspace = [&](const Graph& g, const Node& node) -> int64_t {
    if (runs_no_kernel(node) || kernel(g, node)->workspace == nullptr) return 0;
    return static_cast<int64_t>(kernel(g, node)->workspace(node, g.input_types(node), options.threads));
  };
  CompiledGraph compiled;
  compiled.graph = simplify(lower(simplify(graph), has_kernel));
  verify(compiled.graph);
  compiled.plan = plan_memory(compiled.graph, workspace);
  check_plan(compiled.graph, compiled.plan);
  return compiled;
}

}  // namespace sesame
