#include <fmt/format.h>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

void expect_projection(const InferContext& context) {
  const Shape& x = context.inputs[0].shape;
  const Shape& w = context.inputs[1].shape;
  context.expect_floating(context.inputs.first(2));
  if (x.rank() != 2 || w.rank() != 2 || x[1] != w[1]) {
    context.error(fmt::format("x {} and w {} must be [N, C] and [V, C]", x.to_string(), w.to_string()));
  }
  if (context.inputs[2] != Type{DType::i32, {x[0]}}) {
    context.error(fmt::format("targets {} must be int32 [{}]", context.inputs[2].to_string(), x[0]));
  }
}

/// The parts of a projected cross-entropy that its forms share.
struct Parts {
  Value logits;   // [N, V]
  Value lse;      // [N, 1]
  Value one_hot;  // [N, V]
  Value valid;    // [N, 1]: 1 where the target counts
  Value count;    // []: how many count, at least 1
};

Parts parts_of(Builder& b, Value x, Value w, Value targets) {
  const Type scalar{x.dtype(), Shape{}};
  const int64_t rows = x.shape()[0];
  Parts p;
  p.logits = matmul(x, w, {.transpose_b = true});
  const Value max = reduce_max(p.logits, {-1});
  p.lse = max + log(reduce_sum(exp(p.logits - max), {-1}));
  p.one_hot = one_hot(targets, w.shape()[0], x.dtype());
  const Value ignored = less(targets, b.constant(0, {DType::i32, Shape{}}));
  p.valid = reshape(select(ignored, b.constant(0, scalar), b.constant(1, scalar)), {rows, 1});
  const Value counted = reshape(reduce_sum(p.valid), Shape{});
  p.count = select(less(counted, b.constant(0.5, scalar)), b.constant(1, scalar), counted);
  return p;
}

Value mean_loss(const Parts& p) {
  const Value picked = reduce_sum(p.logits * p.one_hot, {-1});
  return reshape(reduce_sum((p.lse - picked) * p.valid), Shape{}) / p.count;
}

/// dloss/dlogits for a loss whose own gradient is `dloss`.
Value logits_gradient(const Parts& p, Value dloss) {
  return (exp(p.logits - p.lse) - p.one_hot) * (p.valid * (dloss / p.count));
}

std::vector<Value> decompose_forward(Builder& b, const Node&, std::span<const Value> in) {
  const Parts p = parts_of(b, in[0], in[1], in[2]);
  return {mean_loss(p), reshape(p.lse, {in[0].shape()[0]})};
}

std::vector<Value> decompose_grad(Builder& b, const Node&, std::span<const Value> in) {
  const Parts p = parts_of(b, in[0], in[1], in[2]);
  const Value dlogits = logits_gradient(p, in[4]);
  return {matmul(dlogits, in[1]), matmul(dlogits, in[0], {.transpose_a = true})};
}

std::vector<Value> decompose_step(Builder& b, const Node& node, std::span<const Value> in) {
  const auto& a = node.attributes_as<LinearCrossEntropyAttributes>();
  const Parts p = parts_of(b, in[0], in[1], in[2]);
  const Value dlogits = logits_gradient(p, b.constant(a.scale, {in[0].dtype(), Shape{}}));
  const Value dw = matmul(dlogits, in[0], {.transpose_a = true, .accumulator = a.accumulate ? in[3] : Value{}});
  return {mean_loss(p), matmul(dlogits, in[1]), dw};
}

template <int products>
Cost cost_of_projection(const Node& node, std::span<const Type> inputs) {
  Cost cost;
  cost.flops =
      2.0 * products * static_cast<double>(inputs[0].shape.elements()) * static_cast<double>(inputs[1].shape[0]);
  for (const Type& type : inputs) cost.bytes += static_cast<double>(type.bytes());
  for (const Type& type : node.outputs) cost.bytes += static_cast<double>(type.bytes());
  return cost;
}

}  // namespace

const OpDef op_defs::linear_cross_entropy_def = {
    .name = "linear_cross_entropy",
    .doc = "Mean cross-entropy of softmax(x w^T) against targets >= 0; also gives each row's log-sum-exp.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(3);
      expect_projection(context);
      const Type& x = context.inputs[0];
      return {{x.dtype, Shape{}}, {x.dtype, {x.shape[0]}}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      const auto grads = c.builder.append(
          Op::linear_cross_entropy_grad, LinearCrossEntropyAttributes{},
          std::vector<Value>{c.inputs[0], c.inputs[1], c.inputs[2], c.outputs[1], c.grads[0]}, c.node.where);
      return {grads[0], grads[1], Value{}};
    },
    .cost = cost_of_projection<1>,
    .cost_class = CostClass::heavy,
    .decompose = decompose_forward};

const OpDef op_defs::linear_cross_entropy_grad_def = {
    .name = "linear_cross_entropy_grad",
    .doc = "From x, w, targets, lse, dloss: dx and dw of linear_cross_entropy; the logits are computed again.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(5);
      expect_projection(context);
      const Type& x = context.inputs[0];
      if (context.inputs[3] != Type{x.dtype, {x.shape[0]}}) context.error("lse must be [N]");
      if (context.inputs[4] != Type{x.dtype, Shape{}}) context.error("dloss must be a scalar");
      return {x, context.inputs[1]};
    },
    .cost = cost_of_projection<3>,
    .cost_class = CostClass::heavy,
    .decompose = decompose_grad};

const OpDef op_defs::linear_cross_entropy_step_def = {
    .name = "linear_cross_entropy_step",
    .doc = "Loss and its gradients times a known scale in one pass over the logits; dw may add to an accumulator.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      const auto& a = context.attributes_as<LinearCrossEntropyAttributes>();
      context.expect_inputs(3 + size_t{a.accumulate});
      expect_projection(context);
      const Type& w = context.inputs[1];
      if (a.accumulate && context.inputs[3] != w) context.error("the accumulator must have the type of w");
      return {{w.dtype, Shape{}}, context.inputs[0], w};
    },
    .cost = cost_of_projection<3>,
    .cost_class = CostClass::heavy,
    .decompose = decompose_step,
    .in_place = {0, 0, 0b1000}};

Value linear_cross_entropy(Value x, Value w, Value targets, Where where) {
  return x.builder().append_one(Op::linear_cross_entropy, LinearCrossEntropyAttributes{}, {x, w, targets}, where);
}

}  // namespace sesame
