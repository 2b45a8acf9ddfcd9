#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sesame/graph/graph.h"
#include "sesame/passes/remat.h"
#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

/// A graph as a Problem, and what is needed to go back. The order of the node ids is the given order. Leaves and views
/// are no nodes of the problem: a leaf is always there, a view is its root's value.
struct GraphProblem {
  static constexpr int32_t kLeaf = -1;

  const Graph* graph = nullptr;  // must outlive this
  Problem problem;
  std::vector<NodeId> node;  // [problem node]
  std::vector<Ref> value;    // [problem value]
  /// [graph node][output]: the problem's value, through views; kLeaf for what is always there.
  std::vector<std::vector<int32_t>> value_of;
  std::vector<bool> cheap;  // [problem node]: memory-bound, by its op's cost class
  /// [problem node]: earlier nodes that read what it overwrites, if it computes a variable's new value in place.
  std::vector<std::vector<int32_t>> not_before;
  /// The problem node that completes the result that is complete first: the loss. It and what stands after it are the
  /// backward part. The number of nodes if no node computes a result.
  int32_t turning = 0;

  [[nodiscard]] bool is_forward(int32_t node_number) const { return node_number < turning; }
  [[nodiscard]] bool has_backward() const { return turning + 1 < static_cast<int32_t>(node.size()); }
  /// "h.3.attn: attention [16, 256, 384]".
  [[nodiscard]] std::string name_of_value(int32_t value_number) const;
};

GraphProblem problem_of(const Graph& graph, const NodeCosts& costs);

}  // namespace sesame::remat
