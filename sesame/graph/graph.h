#pragma once

#include <cstdint>
#include <deque>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sesame/graph/attributes.h"
#include "sesame/graph/shape.h"

namespace sesame {

/// Every op of the house. The list is ops/ops.def: one line makes the enumerator, the name and the table entry.
enum class Op : uint8_t {
#define SESAME_OP(name) name,
#include "sesame/graph/ops/ops.def"
#undef SESAME_OP
};

inline constexpr int kOpCount = 0
#define SESAME_OP(name) +1
#include "sesame/graph/ops/ops.def"
#undef SESAME_OP
    ;

using NodeId = int32_t;

/// One output of one node: plain data, valid for the graph that holds the node.
struct Ref {
  NodeId node = -1;
  int32_t output = 0;

  [[nodiscard]] bool valid() const { return node >= 0; }
  auto operator<=>(const Ref&) const = default;
};

/// One application of an op. Nodes are made by Builder and never change.
struct Node {
  Op op;
  Attributes attributes;
  std::vector<Ref> inputs;
  std::vector<Type> outputs;
  std::string scope;           // where in the model: "h.3.attn"
  std::source_location where;  // where in the source
  /// 0, or which repetition of an earlier equal node this is: it is computed again on purpose, so that the first result
  /// need not be kept. Nodes of different `replay` are never the same.
  int32_t replay = 0;

  template <typename A>
  [[nodiscard]] const A& attributes_as() const {
    return std::get<A>(attributes);
  }
};

/// What a step computes: an append-only list of nodes, each after its inputs; the named results; and the variables that
/// get a new value at the end of the step. Copyable; not thread-safe.
class Graph {
 public:
  struct Output {
    std::string name;
    Ref value;
  };
  /// After the step, the storage of `variable` (a variable leaf) holds `value`.
  struct Update {
    NodeId variable;
    Ref value;
  };

  /// Appends a node whose inputs are in the graph already. Use Builder, which infers the output types and reports
  /// errors.
  NodeId append(Node node);

  [[nodiscard]] int size() const { return static_cast<int>(nodes_.size()); }
  [[nodiscard]] const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  [[nodiscard]] const Type& type(Ref ref) const { return node(ref.node).outputs[static_cast<size_t>(ref.output)]; }

  /// The types of a node's inputs, in order.
  [[nodiscard]] std::vector<Type> input_types(const Node& node) const;

  /// The input or variable leaf of this name, or -1.
  [[nodiscard]] NodeId find_leaf(std::string_view name) const;

  /// Names a result. A name may be given once; throws Error otherwise.
  void output(std::string name, Ref value);

  /// Sets what `variable` holds after the step; types must agree, and one variable takes one update.
  void update(NodeId variable, Ref value);

  [[nodiscard]] std::span<const Output> outputs() const { return outputs_; }
  [[nodiscard]] std::span<const Update> updates() const { return updates_; }

 private:
  std::deque<Node> nodes_;
  std::unordered_map<std::string, NodeId> leaves_;
  std::vector<Output> outputs_;
  std::vector<Update> updates_;
};

/// The graph as text, one node a line: `%4 = matmul(%1, %3) {transpose_b=true} : float32 [2, 3]  # h.0.attn`.
std::string to_string(const Graph& graph);

/// Checks every rule of a legal graph: inputs before uses, types as the ops' shape rules say, attributes of the right
/// kind, updates of variables only. Throws Error naming the node. Passes are followed by it in tests and debug builds.
void verify(const Graph& graph);

}  // namespace sesame
