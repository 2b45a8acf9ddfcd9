#include "sesame/passes/lower.h"

#include <fmt/format.h>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"
#include "sesame/passes/rewrite.h"

namespace sesame {
namespace {

bool runs_no_kernel(const Node& node) {
  return node.op == Op::input || node.op == Op::variable || op_def(node.op).view;
}

/// One round: nodes that a decomposition makes are looked at in the next.
Graph lower_once(const Graph& graph, FunctionRef<bool(const Graph&, const Node&)> has_kernel, bool* changed) {
  Rewrite rewrite(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (runs_no_kernel(node) || has_kernel(graph, node)) {
      rewrite.copy(id);
      continue;
    }
    const OpDef& def = op_def(node.op);
    if (def.decompose == nullptr) {
      fail(fmt::format("{} of {}: this backend has no kernel and the op no decomposition (in {})", def.name,
                       node.outputs[0].to_string(), node.scope));
    }
    rewrite.builder().set_scope(node.scope);
    rewrite.replace(id, def.decompose(rewrite.builder(), node, rewrite.now(node.inputs)));
    *changed = true;
  }
  return rewrite.finish();
}

}  // namespace

Graph lower(const Graph& graph, FunctionRef<bool(const Graph&, const Node&)> has_kernel) {
  // Decompositions of decompositions are few: fused op -> composed functions -> primitives.
  constexpr int kMaxRounds = 8;
  Graph current = graph;
  for (int round = 0; round < kMaxRounds; ++round) {
    bool changed = false;
    current = lower_once(current, has_kernel, &changed);
    if (!changed) return current;
  }
  fail("lower: a decomposition leads back to its own op");
}

}  // namespace sesame
