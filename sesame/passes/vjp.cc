#include "sesame/passes/vjp.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

/// Sums a gradient of a broadcast result to the shape of the operand it belongs to.
Value sum_to(Value grad, const Shape& shape) {
  if (grad.shape() == shape) return grad;
  const int extra = grad.shape().rank() - shape.rank();
  std::vector<int64_t> axes;
  for (int axis = 0; axis < grad.shape().rank(); ++axis) {
    if (axis < extra || (shape[axis - extra] == 1 && grad.shape()[axis] != 1)) axes.push_back(axis);
  }
  return reshape(axes.empty() ? grad : reduce_sum(grad, axes), shape);
}

/// One reverse sweep: owns the gradient of every value that it has met.
class ReverseSweep {
 public:
  ReverseSweep(Builder& builder, NodeId last) : builder_(builder), needed_(static_cast<size_t>(last) + 1, false) {}

  /// Marks the nodes through which a gradient must flow to reach `targets`.
  void mark_needed(std::span<const Value> targets) {
    for (const Value& target : targets) {
      if (target.ref().node < size()) needed_[static_cast<size_t>(target.ref().node)] = true;
    }
    const Graph& graph = builder_.graph();
    for (NodeId id = 0; id < size(); ++id) {
      for (const Ref ref : graph.node(id).inputs) {
        if (needed_[static_cast<size_t>(ref.node)] && is_floating(graph.type(ref).dtype)) {
          needed_[static_cast<size_t>(id)] = true;
        }
      }
    }
  }

  void add(Ref ref, Value grad) {
    const auto [place, fresh] = grads_.emplace(ref, grad);
    if (!fresh) place->second = sesame::add(place->second, grad);
  }

  [[nodiscard]] Value grad_of(Ref ref) const {
    const auto found = grads_.find(ref);
    return found == grads_.end() ? Value{} : found->second;
  }

  void run() {
    for (NodeId id = size() - 1; id >= 0; --id) {
      if (needed_[static_cast<size_t>(id)]) propagate(id);
    }
  }

 private:
  [[nodiscard]] NodeId size() const { return static_cast<NodeId>(needed_.size()); }

  void propagate(NodeId id) {
    const Node& node = builder_.graph().node(id);
    std::vector<Value> outputs;
    std::vector<Value> grads;
    bool reached = false;
    for (int i = 0; i < static_cast<int>(node.outputs.size()); ++i) {
      outputs.emplace_back(&builder_, Ref{id, i});
      grads.push_back(grad_of({id, i}));
      reached = reached || grads.back();
    }
    if (!reached || node.inputs.empty()) return;
    const OpDef& def = op_def(node.op);
    if (def.vjp == nullptr) {
      fail(fmt::format("{}: has no gradient, but one must flow through it (in {}, {}:{})", def.name, node.scope,
                       node.where.file_name(), node.where.line()));
    }
    // Fused ops differentiate their first output; the others are what it keeps for that purpose.
    if (std::any_of(grads.begin() + 1, grads.end(), [](const Value& grad) { return bool{grad}; })) {
      fail(fmt::format("{}: a gradient flows into an output that has none (in {})", def.name, node.scope));
    }
    push_to_inputs(node, outputs, grads);
  }

  void push_to_inputs(const Node& node, std::span<const Value> outputs, std::span<const Value> grads) {
    std::vector<Value> inputs;
    const auto wanted = std::make_unique<bool[]>(node.inputs.size());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      inputs.emplace_back(&builder_, node.inputs[i]);
      wanted[i] = needed_[static_cast<size_t>(node.inputs[i].node)] && is_floating(inputs[i].dtype());
    }
    builder_.set_scope(node.scope);
    const VjpContext context{builder_, node, inputs, outputs, grads, {wanted.get(), node.inputs.size()}};
    const std::vector<Value> input_grads = op_def(node.op).vjp(context);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (wanted[i] && input_grads[i]) add(node.inputs[i], sum_to(input_grads[i], inputs[i].shape()));
    }
  }

  Builder& builder_;
  std::vector<bool> needed_;
  std::map<Ref, Value> grads_;
};

}  // namespace

std::vector<Value> gradients(Builder& builder, Value loss, std::span<const Value> with_respect_to, double seed,
                             std::span<const Value> accumulators) {
  if (!is_floating(loss.dtype()) || loss.shape().elements() != 1) {
    fail(fmt::format("gradients: the loss must be a floating scalar, not {}", loss.type().to_string()));
  }
  if (!accumulators.empty() && accumulators.size() != with_respect_to.size()) {
    fail(fmt::format("gradients: {} accumulators for {} values", accumulators.size(), with_respect_to.size()));
  }
  for (size_t i = 0; i < accumulators.size(); ++i) {
    // What is added to an inner value's gradient would flow on to what it was made of.
    if (!builder.graph().node(with_respect_to[i].ref().node).inputs.empty()) {
      fail(fmt::format("gradients: accumulator {} belongs to a value that is not a leaf", i));
    }
  }
  const std::string outer_scope = builder.scope();
  ReverseSweep sweep(builder, loss.ref().node);
  sweep.mark_needed(with_respect_to);
  for (size_t i = 0; i < accumulators.size(); ++i) sweep.add(with_respect_to[i].ref(), accumulators[i]);
  sweep.add(loss.ref(), builder.constant(seed, loss.type()));
  sweep.run();
  builder.set_scope(outer_scope);
  std::vector<Value> grads;
  for (const Value& x : with_respect_to) {
    const Value grad = sweep.grad_of(x.ref());
    grads.push_back(grad ? grad : builder.constant(0, x.type()));
  }
  return grads;
}

}  // namespace sesame
