#include "sesame/passes/rewrite.h"

namespace sesame {

std::vector<Value> Rewrite::now(std::span<const Ref> old) {
  std::vector<Value> values;
  values.reserve(old.size());
  for (const Ref ref : old) values.push_back(now(ref));
  return values;
}

std::vector<Value> Rewrite::copy(NodeId id) {
  const Node& node = from_.node(id);
  builder_.set_scope(node.scope);
  std::vector<Value> values = builder_.append(node.op, node.attributes, now(node.inputs), node.where, node.replay);
  replace(id, values);
  return values;
}

void Rewrite::replace(NodeId id, std::span<const Value> values) {
  for (size_t i = 0; i < values.size(); ++i) set({id, static_cast<int32_t>(i)}, values[i]);
}

Graph Rewrite::finish() {
  for (const auto& output : from_.outputs()) to_.output(output.name, now(output.value).ref());
  for (const auto& update : from_.updates()) to_.update(now({update.variable, 0}).ref().node, now(update.value).ref());
  return std::move(to_);
}

std::vector<bool> live_nodes(const Graph& graph) {
  std::vector<bool> live(static_cast<size_t>(graph.size()), false);
  for (const auto& output : graph.outputs()) live[static_cast<size_t>(output.value.node)] = true;
  for (const auto& update : graph.updates()) {
    live[static_cast<size_t>(update.value.node)] = true;
    live[static_cast<size_t>(update.variable)] = true;
  }
  for (NodeId id = graph.size() - 1; id >= 0; --id) {
    const Node& node = graph.node(id);
    if (node.op == Op::input) live[static_cast<size_t>(id)] = true;
    if (!live[static_cast<size_t>(id)]) continue;
    for (const Ref ref : node.inputs) live[static_cast<size_t>(ref.node)] = true;
  }
  return live;
}

std::vector<std::vector<int>> use_counts(const Graph& graph) {
  std::vector<std::vector<int>> uses(static_cast<size_t>(graph.size()));
  const auto count = [&](Ref ref) { ++uses[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)]; };
  for (NodeId id = 0; id < graph.size(); ++id) {
    uses[static_cast<size_t>(id)].resize(graph.node(id).outputs.size());
    for (const Ref ref : graph.node(id).inputs) count(ref);
  }
  for (const auto& output : graph.outputs()) count(output.value);
  for (const auto& update : graph.updates()) count(update.value);
  return uses;
}

}  // namespace sesame
