#include "sesame/analyze/cost_table.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "sesame/analyze/flops.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

std::string first_parts(const std::string& scope, int depth) {
  size_t end = 0;
  for (int part = 0; part < depth && end < scope.size(); ++part) {
    end = scope.find('.', part == 0 ? 0 : end + 1);
    if (end == std::string::npos) return scope;
  }
  return scope.substr(0, end);
}

}  // namespace

std::vector<ScopeCost> cost_by_scope(const Graph& graph, int depth) {
  std::vector<ScopeCost> rows;
  std::unordered_map<std::string, size_t> index;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const std::string scope = first_parts(node.scope, depth);
    const auto [it, fresh] = index.emplace(scope, rows.size());
    if (fresh) rows.push_back({.scope = scope});
    ScopeCost& row = rows[it->second];
    if (node.op == Op::variable) row.parameters += node.outputs[0].shape.elements();
    if (node.op == Op::variable || node.op == Op::input || node.op == Op::constant) continue;
    ++row.nodes;
    const Cost cost = cost_of(graph, node);
    row.model_flops += model_flops(graph, node);
    row.flops += cost.flops;
    row.bytes += cost.bytes;
    for (const Type& type : node.outputs) row.output_bytes += type.bytes();
  }
  return rows;
}

}  // namespace sesame
