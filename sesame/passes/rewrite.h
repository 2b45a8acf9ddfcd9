#pragma once

#include <map>
#include <span>
#include <vector>

#include "sesame/graph/builder.h"

namespace sesame {

/// Builds a new graph from an old one node by node: what every Graph -> Graph pass shares. Leaves keep their names,
/// outputs and updates are carried over by finish().
class Rewrite {
 public:
  explicit Rewrite(const Graph& from) : from_(from), builder_(to_) {}

  [[nodiscard]] Builder& builder() { return builder_; }

  /// What the old value has become. It must have been set.
  [[nodiscard]] Value now(Ref old) { return {&builder_, now_.at(old)}; }
  [[nodiscard]] std::vector<Value> now(std::span<const Ref> old);
  void set(Ref old, Value value) { now_[old] = value.ref(); }

  /// Appends the same op on the new inputs, in the old node's scope, and notes its outputs.
  std::vector<Value> copy(NodeId id);

  /// Notes `values` as what the old node's outputs have become.
  void replace(NodeId id, std::span<const Value> values);

  /// The new graph with the old one's outputs and updates.
  Graph finish();

 private:
  const Graph& from_;
  Graph to_;
  Builder builder_;
  std::map<Ref, Ref> now_;
};

/// Nodes that some output or update depends on, or that are leaves with a name.
std::vector<bool> live_nodes(const Graph& graph);

/// How many times each output of each node is read, by nodes, outputs and updates.
std::vector<std::vector<int>> use_counts(const Graph& graph);

}  // namespace sesame
