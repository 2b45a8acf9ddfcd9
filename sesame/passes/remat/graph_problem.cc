#include "sesame/passes/remat/graph_problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "sesame/graph/op_def.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/passes/rewrite.h"
#include "sesame/passes/share_buffers.h"

namespace sesame::remat {
namespace {

bool is_leaf(const Node& node) { return node.op == Op::input || node.op == Op::variable; }

class Translation {
 public:
  Translation(const Graph& graph, const NodeCosts& costs)
      : graph_(graph), costs_(costs), shared_(share_buffers(graph)), live_(live_nodes(graph)) {
    result_.graph = &graph;
    result_.value_of.resize(static_cast<size_t>(graph.size()));
    readers_.resize(static_cast<size_t>(graph.size()));
  }

  GraphProblem run() {
    for (NodeId id = 0; id < graph_.size(); ++id) add(id);
    for (const auto& output : graph_.outputs()) keep(output.value);
    for (const auto& copy : shared_.copies) keep(copy.value);
    find_turning();
    return std::move(result_);
  }

 private:
  int32_t& value_of(Ref ref) {
    return result_.value_of[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)];
  }

  void keep(Ref ref) {
    if (const int32_t value = value_of(ref); value >= 0) {
      result_.problem.values[static_cast<size_t>(value)].kept_to_end = true;
    }
  }

  void add(NodeId id) {
    const Node& node = graph_.node(id);
    result_.value_of[static_cast<size_t>(id)].assign(node.outputs.size(), GraphProblem::kLeaf);
    if (node.op == Op::input) result_.problem.fixed_bytes += aligned_bytes(node.outputs[0].bytes());
    if (is_leaf(node) || !live_[static_cast<size_t>(id)]) return;
    if (op_def(node.op).view) {
      value_of({id, 0}) = value_of(node.inputs[0]);
      return;
    }
    Problem::Node made;
    made.seconds = costs_.seconds(graph_, node);
    made.workspace = aligned_bytes(costs_.workspace(graph_, node));
    made.once = op_def(node.op).cost_class == CostClass::never_twice;
    const auto number = static_cast<int32_t>(result_.node.size());
    for (const Ref ref : node.inputs) {
      if (const NodeId variable = shared_.variable_of(ref); variable >= 0) {
        readers_[static_cast<size_t>(variable)].push_back(number);
      }
      const int32_t value = value_of(ref);
      if (value >= 0 && std::ranges::find(made.inputs, value) == made.inputs.end()) made.inputs.push_back(value);
    }
    auto& not_before = result_.not_before.emplace_back();
    for (int32_t o = 0; o < static_cast<int32_t>(node.outputs.size()); ++o) {
      const NodeId variable = shared_.variable_of({id, o});
      const bool in_variable = variable >= 0;
      if (in_variable) {
        const auto& readers = readers_[static_cast<size_t>(variable)];
        std::ranges::copy_if(readers, std::back_inserter(not_before), [&](int32_t reader) { return reader != number; });
      }
      made.once = made.once || in_variable;
      value_of({id, o}) = static_cast<int32_t>(result_.value.size());
      made.outputs.push_back(value_of({id, o}));
      result_.value.push_back({id, o});
      const int64_t bytes = aligned_bytes(node.outputs[static_cast<size_t>(o)].bytes());
      result_.problem.values.push_back({.bytes = in_variable ? 0 : bytes, .producer = number});
    }
    for (int32_t o = 0; o < static_cast<int32_t>(node.outputs.size()); ++o) add_in_place(node, o, made);
    result_.cheap.push_back(op_def(node.op).cost_class == CostClass::cheap);
    result_.node.push_back(id);
    result_.problem.nodes.push_back(std::move(made));
  }

  /// The operands that output `o` may take over under the op's table.
  void add_in_place(const Node& node, int32_t o, Problem::Node& made) {
    const auto& masks = op_def(node.op).in_place;
    if (static_cast<size_t>(o) >= masks.size()) return;
    const uint32_t mask = masks[static_cast<size_t>(o)];
    const int32_t output = made.outputs[static_cast<size_t>(o)];
    if (result_.problem.values[static_cast<size_t>(output)].bytes == 0) return;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const int32_t value = value_of(node.inputs[i]);
      if ((mask >> i & 1u) == 0 || value < 0 || graph_.type(node.inputs[i]) != node.outputs[static_cast<size_t>(o)] ||
          result_.problem.values[static_cast<size_t>(value)].bytes == 0) {
        continue;
      }
      bool read_otherwise = false;
      for (size_t j = 0; j < node.inputs.size(); ++j) {
        read_otherwise = read_otherwise || (value_of(node.inputs[j]) == value && (mask >> j & 1u) == 0);
      }
      const std::pair<int32_t, int32_t> pair{output, value};
      if (!read_otherwise && std::ranges::find(made.in_place, pair) == made.in_place.end()) {
        made.in_place.push_back(pair);
      }
    }
  }

  void find_turning() {
    result_.turning = static_cast<int32_t>(result_.node.size());
    for (const auto& output : graph_.outputs()) {
      const int32_t value = value_of(output.value);
      if (value < 0) continue;
      result_.turning = std::min(result_.turning, result_.problem.values[static_cast<size_t>(value)].producer);
    }
  }

  static int64_t aligned_bytes(int64_t bytes) {
    return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment;
  }

  const Graph& graph_;
  const NodeCosts& costs_;
  const SharedBuffers shared_;
  const std::vector<bool> live_;
  std::vector<std::vector<int32_t>> readers_;  // [variable]: nodes so far that read its storage
  GraphProblem result_;
};

}  // namespace

std::string GraphProblem::name_of_value(int32_t value_number) const {
  const Ref ref = value[static_cast<size_t>(value_number)];
  const Node& producer = graph->node(ref.node);
  return fmt::format("{}{}{} {}", producer.scope, producer.scope.empty() ? "" : ": ", name_of(producer.op),
                     graph->type(ref).shape.to_string());
}

GraphProblem problem_of(const Graph& graph, const NodeCosts& costs) { return Translation(graph, costs).run(); }

}  // namespace sesame::remat
