#include "sesame/passes/simplify.h"

#include <optional>
#include <unordered_map>

#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/rewrite.h"

namespace sesame {
namespace {

bool is_constant(const Graph& graph, Ref ref, double* value) {
  const Node& node = graph.node(ref.node);
  if (node.op != Op::constant) return false;
  *value = node.attributes_as<ConstantAttributes>().value;
  return true;
}

bool is_constant(const Graph& graph, Ref ref, double value) {
  double found = 0;
  return is_constant(graph, ref, &found) && found == value;
}

Graph drop_dead(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  Rewrite rewrite(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (live[static_cast<size_t>(id)]) rewrite.copy(id);
  }
  return rewrite.finish();
}

/// If the node gives back one of its inputs unchanged, that input.
std::optional<Ref> identity_of(const Graph& graph, const Node& node) {
  const auto same_type = [&](Ref ref) { return graph.type(ref) == node.outputs[0]; };
  switch (node.op) {
    case Op::add:
      if (is_constant(graph, node.inputs[1], 0.0) && same_type(node.inputs[0])) return node.inputs[0];
      if (is_constant(graph, node.inputs[0], 0.0) && same_type(node.inputs[1])) return node.inputs[1];
      return std::nullopt;
    case Op::mul:
      if (is_constant(graph, node.inputs[1], 1.0) && same_type(node.inputs[0])) return node.inputs[0];
      if (is_constant(graph, node.inputs[0], 1.0) && same_type(node.inputs[1])) return node.inputs[1];
      return std::nullopt;
    case Op::reshape:
    case Op::broadcast_to:
      if (same_type(node.inputs[0])) return node.inputs[0];
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

/// Merges nodes that are equal in op, attributes and inputs, and drops identities.
Graph merge_equal(const Graph& graph) {
  Rewrite rewrite(graph);
  std::unordered_multimap<uint64_t, NodeId> known;
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (const auto identity = identity_of(graph, node)) {
      rewrite.set({id, 0}, rewrite.now(*identity));
      continue;
    }
    std::vector<Ref> inputs;
    uint64_t hash = hash_of(node.attributes) * 1099511628211ull + static_cast<uint64_t>(node.op);
    hash += static_cast<uint64_t>(node.replay) << 32;
    for (const Ref ref : node.inputs) {
      inputs.push_back(rewrite.now(ref).ref());
      hash = (hash ^ static_cast<uint64_t>(inputs.back().node * 4 + inputs.back().output)) * 1099511628211ull;
    }
    NodeId equal = -1;
    const auto [begin, end] = known.equal_range(hash);
    for (auto it = begin; it != end && equal < 0; ++it) {
      const Node& other = rewrite.builder().graph().node(it->second);
      const bool same = other.op == node.op && other.replay == node.replay && other.inputs == inputs &&
                        other.attributes == node.attributes;
      if (same && op_def(node.op).cost_class != CostClass::never_twice) equal = it->second;
    }
    if (equal >= 0) {
      for (int i = 0; i < static_cast<int>(node.outputs.size()); ++i) {
        rewrite.set({id, i}, Value(&rewrite.builder(), {equal, i}));
      }
      continue;
    }
    known.emplace(hash, rewrite.copy(id)[0].ref().node);
  }
  return rewrite.finish();
}

/// Replaces a projected cross-entropy and its gradient by the one-pass form where the gradient of the loss is a
/// constant.
Graph join_cross_entropy(const Graph& graph) {
  const auto uses = use_counts(graph);
  std::unordered_map<NodeId, NodeId> gradient_of;  // forward node -> its only gradient node
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    double scale = 0;
    if (node.op != Op::linear_cross_entropy_grad || !is_constant(graph, node.inputs[4], &scale)) continue;
    const Ref lse = node.inputs[3];
    const Node& forward = graph.node(lse.node);
    const bool same_inputs = forward.op == Op::linear_cross_entropy && lse.output == 1 &&
                             std::equal(forward.inputs.begin(), forward.inputs.end(), node.inputs.begin());
    if (same_inputs && uses[static_cast<size_t>(lse.node)][1] == 1) gradient_of[lse.node] = id;
  }
  Rewrite rewrite(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    if (const auto found = gradient_of.find(id); found != gradient_of.end()) {
      LinearCrossEntropyAttributes attributes;
      is_constant(graph, graph.node(found->second).inputs[4], &attributes.scale);
      rewrite.builder().set_scope(node.scope);
      const auto step =
          rewrite.builder().append(Op::linear_cross_entropy_step, attributes, rewrite.now(node.inputs), node.where);
      rewrite.set({id, 0}, step[0]);
      rewrite.set({found->second, 0}, step[1]);
      rewrite.set({found->second, 1}, step[2]);
    } else if (node.op != Op::linear_cross_entropy_grad || gradient_of.count(node.inputs[3].node) == 0) {
      rewrite.copy(id);
    }
  }
  return rewrite.finish();
}

/// Writes acc + product as the product's accumulating form, so that the sum costs no pass of its own.
class JoinAccumulators {
 public:
  explicit JoinAccumulators(const Graph& graph) : graph_(graph), uses_(use_counts(graph)), rewrite_(graph) {}

  Graph run() {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Node& node = graph_.node(id);
      if (node.op == Op::add && join(id, node)) continue;
      rewrite_.copy(id);
    }
    return drop_dead(rewrite_.finish());
  }

 private:
  bool join(NodeId id, const Node& node) {
    Ref product = node.inputs[1];
    Ref other = node.inputs[0];
    if (!can_accumulate(product) || (can_accumulate(other) && other.node > product.node)) std::swap(product, other);
    if (!can_accumulate(product) || graph_.type(other) != node.outputs[0] || product.node == other.node) return false;
    if (other_results_read_before(product, id)) return false;
    rewrite_.set({id, 0}, accumulate(rewrite_.now(other), product));
    return true;
  }

  /// The accumulating form stands at the sum; results of the product that were read before it could not come from
  /// there.
  [[nodiscard]] bool other_results_read_before(Ref product, NodeId sum) const {
    for (NodeId id = product.node + 1; id < sum; ++id) {
      for (const Ref ref : graph_.node(id).inputs) {
        if (ref.node == product.node && ref.output != product.output) return true;
      }
    }
    return false;
  }

  [[nodiscard]] bool can_accumulate(Ref ref) const {
    if (uses_[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)] != 1) return false;
    const Op op = graph_.node(ref.node).op;
    if (op == Op::linear_cross_entropy_step) return ref.output == 2;
    return op == Op::matmul || op == Op::embedding_grad;
  }

  /// accumulator + product, where product is read by nothing else. Nodes that it replaces stay behind unused.
  Value accumulate(Value accumulator, Ref product) {
    const Node& node = graph_.node(product.node);
    std::vector<Ref> operands = node.inputs;
    if (has_accumulator(node)) {
      accumulator = add(accumulator, rewrite_.now(operands.back()));
      operands.pop_back();
    }
    std::vector<Value> inputs = rewrite_.now(operands);
    inputs.push_back(accumulator);
    rewrite_.builder().set_scope(node.scope);
    const auto values = rewrite_.builder().append(node.op, with_accumulator(node), inputs, node.where, node.replay);
    for (size_t i = 0; i < values.size(); ++i) {
      // The other results of a several-output product (loss and dx) come from the accumulating form, too.
      if (static_cast<int32_t>(i) != product.output) rewrite_.set({product.node, static_cast<int32_t>(i)}, values[i]);
    }
    return values[static_cast<size_t>(product.output)];
  }

  static bool has_accumulator(const Node& node) {
    if (node.op == Op::matmul) return node.attributes_as<MatmulAttributes>().accumulate;
    if (node.op == Op::embedding_grad) return node.attributes_as<EmbeddingGradAttributes>().accumulate;
    return node.attributes_as<LinearCrossEntropyAttributes>().accumulate;
  }

  static Attributes with_accumulator(const Node& node) {
    Attributes attributes = node.attributes;
    if (auto* m = std::get_if<MatmulAttributes>(&attributes)) m->accumulate = true;
    if (auto* e = std::get_if<EmbeddingGradAttributes>(&attributes)) e->accumulate = true;
    if (auto* l = std::get_if<LinearCrossEntropyAttributes>(&attributes)) l->accumulate = true;
    return attributes;
  }

  const Graph& graph_;
  std::vector<std::vector<int>> uses_;
  Rewrite rewrite_;
};

}  // namespace

Graph simplify(const Graph& graph) {
  const Graph joined = join_cross_entropy(merge_equal(drop_dead(graph)));
  return drop_dead(merge_equal(JoinAccumulators(joined).run()));
}

}  // namespace sesame
