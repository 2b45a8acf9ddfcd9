#include "sesame/graph/builder.h"

#include <fmt/format.h>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame {

const Type& Value::type() const { return builder_->graph().type(ref_); }

Value Builder::input(std::string name, Type type, Where where) {
  return append_one(Op::input, LeafAttributes{std::move(name), type}, {}, where);
}

Value Builder::variable(std::string name, Type type, Where where) {
  const NodeId known = graph_->find_leaf(name);
  if (known < 0) return append_one(Op::variable, LeafAttributes{std::move(name), type}, {}, where);
  const Node& node = graph_->node(known);
  if (node.op != Op::variable || node.outputs[0] != type) {
    fail(fmt::format("variable \"{}\" is asked for as {} but the graph has it as {} {}", name, type.to_string(),
                     name_of(node.op), node.outputs[0].to_string()));
  }
  return {this, {known, 0}};
}

Value Builder::constant(double value, Type type, Where where) {
  return append_one(Op::constant, ConstantAttributes{value, type}, {}, where);
}

std::vector<Value> Builder::append(Op op, Attributes attributes, std::span<const Value> inputs, Where where,
                                   int32_t replay) {
  Node node{op, std::move(attributes), {}, {}, scope_, where, replay};
  std::vector<Type> types;
  for (const Value& input : inputs) {
    if (!input)
      fail(
          fmt::format("{}: an operand is absent (in {}, {}:{})", name_of(op), scope_, where.file_name(), where.line()));
    if (&input.builder().graph() != graph_) {
      fail(fmt::format("{}: an operand belongs to another graph (in {}, {}:{})", name_of(op), scope_, where.file_name(),
                       where.line()));
    }
    node.inputs.push_back(input.ref());
    types.push_back(input.type());
  }
  node.outputs = op_def(op).infer(InferContext{op, node.attributes, types, scope_, where});
  const size_t outputs = node.outputs.size();
  const NodeId id = graph_->append(std::move(node));
  std::vector<Value> values;
  values.reserve(outputs);
  for (size_t i = 0; i < outputs; ++i) values.emplace_back(this, Ref{id, static_cast<int32_t>(i)});
  return values;
}

Value Builder::append_one(Op op, Attributes attributes, std::initializer_list<Value> inputs, Where where) {
  return append(op, std::move(attributes), std::span(inputs.begin(), inputs.size()), where)[0];
}

int64_t Builder::next_random_key() {
  // FNV-1a over the scope: the key names a place in the model, so that it stays when other ops come or go elsewhere.
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : scope_) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  hash += static_cast<uint64_t>(random_ops_[scope_]++) * 0x9E3779B97F4A7C15ull;
  return static_cast<int64_t>(hash >> 1);
}

Builder::Scope::Scope(Builder& builder, std::string_view name)
    : builder_(builder), outer_length_(builder.scope_.size()) {
  if (!builder.scope_.empty()) builder.scope_ += '.';
  builder.scope_ += name;
}

Builder::Scope::~Scope() { builder_.scope_.resize(outer_length_); }

}  // namespace sesame
