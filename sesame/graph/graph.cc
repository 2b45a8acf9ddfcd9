#include "sesame/graph/graph.h"

#include <fmt/format.h>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

std::string ref_text(const Graph& graph, Ref ref) {
  const bool several = graph.node(ref.node).outputs.size() > 1;
  return several ? fmt::format("%{}.{}", ref.node, ref.output) : fmt::format("%{}", ref.node);
}

std::string node_text(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::string inputs;
  for (const Ref ref : node.inputs) inputs += (inputs.empty() ? "" : ", ") + ref_text(graph, ref);
  std::string types;
  for (const Type& type : node.outputs) types += (types.empty() ? "" : ", ") + type.to_string();
  const std::string attributes = to_string(node.attributes);
  return fmt::format("%{} = {}({}){}{} : {}{}", id, name_of(node.op), inputs,
                     attributes.empty() ? "" : " {" + attributes + "}",
                     node.replay > 0 ? fmt::format(" replay {}", node.replay) : "", types,
                     node.scope.empty() ? "" : "  # " + node.scope);
}

[[noreturn]] void illegal(const Graph& graph, NodeId id, const std::string& what) {
  fail(fmt::format("illegal graph: {}: {}", node_text(graph, id), what));
}

}  // namespace

NodeId Graph::append(Node node) {
  const NodeId id = size();
  for (const Ref ref : node.inputs) {
    if (ref.node < 0 || ref.node >= id) fail(fmt::format("graph: node {} has no input node {}", id, ref.node));
  }
  if (node.op == Op::input || node.op == Op::variable) {
    const std::string& name = node.attributes_as<LeafAttributes>().name;
    if (!leaves_.emplace(name, id).second) fail(fmt::format("graph: there are two leaves named \"{}\"", name));
  }
  nodes_.push_back(std::move(node));
  return id;
}

std::vector<Type> Graph::input_types(const Node& node) const {
  std::vector<Type> types;
  types.reserve(node.inputs.size());
  for (const Ref ref : node.inputs) types.push_back(type(ref));
  return types;
}

NodeId Graph::find_leaf(std::string_view name) const {
  const auto found = leaves_.find(std::string(name));
  return found == leaves_.end() ? -1 : found->second;
}

void Graph::output(std::string name, Ref value) {
  for (const Output& output : outputs_) {
    if (output.name == name) fail(fmt::format("graph: there are two outputs named \"{}\"", name));
  }
  outputs_.push_back({std::move(name), value});
}

void Graph::update(NodeId variable, Ref value) {
  const Node& leaf = node(variable);
  if (leaf.op != Op::variable) fail("graph: only a variable can be updated, not " + node_text(*this, variable));
  const std::string& name = leaf.attributes_as<LeafAttributes>().name;
  if (leaf.outputs[0] != type(value)) {
    fail(fmt::format("graph: variable \"{}\" is {} and cannot be updated with {}", name, leaf.outputs[0].to_string(),
                     type(value).to_string()));
  }
  for (const Update& update : updates_) {
    if (update.variable == variable) fail(fmt::format("graph: variable \"{}\" is updated twice", name));
  }
  updates_.push_back({variable, value});
}

std::string to_string(const Graph& graph) {
  std::string text;
  for (NodeId id = 0; id < graph.size(); ++id) text += node_text(graph, id) + "\n";
  for (const auto& output : graph.outputs()) {
    text += fmt::format("output {} = {}\n", output.name, ref_text(graph, output.value));
  }
  for (const auto& update : graph.updates()) {
    text += fmt::format("update {} = {}\n", graph.node(update.variable).attributes_as<LeafAttributes>().name,
                        ref_text(graph, update.value));
  }
  return text;
}

void verify(const Graph& graph) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    for (const Ref ref : node.inputs) {
      if (ref.node < 0 || ref.node >= id) illegal(graph, id, "an input does not come before it");
      if (ref.output < 0 || ref.output >= static_cast<int>(graph.node(ref.node).outputs.size())) {
        illegal(graph, id, "an input names an output that its node does not have");
      }
    }
    const std::vector<Type> inputs = graph.input_types(node);
    const InferContext context{node.op, node.attributes, inputs, node.scope, node.where};
    std::vector<Type> expected;
    try {
      expected = op_def(node.op).infer(context);
    } catch (const std::bad_variant_access&) {
      illegal(graph, id, "its attributes are of another op's kind");
    }
    if (expected != node.outputs) illegal(graph, id, "its types are not what the op's shape rule gives");
  }
  for (const auto& update : graph.updates()) {
    if (graph.node(update.variable).op != Op::variable) illegal(graph, update.variable, "updated but no variable");
    if (graph.type(update.value) != graph.node(update.variable).outputs[0]) {
      illegal(graph, update.variable, "its update has another type");
    }
  }
}

}  // namespace sesame
