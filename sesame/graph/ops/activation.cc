#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

const double kGeluSlope = std::sqrt(2 / std::numbers::pi);
constexpr double kGeluCubic = 0.044715;

void expect_bias(const InferContext& context) {
  const Shape& x = context.inputs[0].shape;
  if (x.rank() < 1 || context.inputs[1].shape != Shape{x[-1]}) {
    context.error(
        fmt::format("bias {} must be [last axis of x {}]", context.inputs[1].shape.to_string(), x.to_string()));
  }
}

Value gelu_tanh(Value u) { return tanh(scale(u + scale(u * u * u, kGeluCubic), kGeluSlope)); }

std::vector<Value> decompose_bias_gelu_grad(Builder&, const Node&, std::span<const Value> in) {
  const Value u = in[0] + in[1];
  const Value t = gelu_tanh(u);
  // d/du of 0.5 u (1 + t):  0.5 (1 + t) + 0.5 u (1 - t^2) slope (1 + 3 cubic u^2)
  const Value inner = scale(offset(scale(u * u, 3 * kGeluCubic), 1), kGeluSlope);
  const Value derivative = scale(offset(t, 1) + u * offset(neg(t * t), 1) * inner, 0.5);
  const Value dx = in[2] * derivative;
  const int64_t channels = dx.shape()[-1];
  const Value rows = reshape(dx, {dx.shape().elements() / channels, channels});
  return {dx, reshape(reduce_sum(rows, {0}), {channels})};
}

Cost cost_of_activation(const Node& node, std::span<const Type> inputs) {
  Cost cost{.flops = 20 * static_cast<double>(node.outputs[0].shape.elements()), .bytes = 0};
  for (const Type& type : inputs) cost.bytes += static_cast<double>(type.bytes());
  for (const Type& type : node.outputs) cost.bytes += static_cast<double>(type.bytes());
  return cost;
}

Shape half_of_last_axis(const InferContext& context, const Shape& x) {
  if (x.rank() < 1 || x[-1] % 2 != 0) {
    context.error(fmt::format("the last axis of {} must be even: [gate | up]", x.to_string()));
  }
  return x.with(-1, x[-1] / 2);
}

Value gate_of(Value x) { return slice(x, -1, 0, x.shape()[-1] / 2); }
Value up_of(Value x) { return slice(x, -1, x.shape()[-1] / 2, x.shape()[-1] / 2); }

std::vector<Value> decompose_swiglu_grad(Builder&, const Node&, std::span<const Value> in) {
  const Value gate = gate_of(in[0]);
  const Value s = sigmoid(gate);
  const Value silu_of_gate = gate * s;
  // d silu/dg = s + g s (1 - s)
  const Value dgate = in[1] * up_of(in[0]) * (s + silu_of_gate * offset(neg(s), 1));
  const Value dup = in[1] * silu_of_gate;
  const int64_t width = in[0].shape()[-1];
  return {pad(dgate, -1, 0, width) + pad(dup, -1, width / 2, width)};
}

}  // namespace

const OpDef op_defs::bias_gelu_def = {
    .name = "bias_gelu",
    .doc = "gelu(x + bias), tanh form.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(2);
      context.expect_floating(context.inputs);
      expect_bias(context);
      return {context.inputs[0]};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return c.builder.append(Op::bias_gelu_grad, NoAttributes{},
                              std::vector<Value>{c.inputs[0], c.inputs[1], c.grads[0]}, c.node.where);
    },
    .cost = cost_of_activation,
    .decompose = [](Builder&, const Node&, std::span<const Value> in) -> std::vector<Value> {
      return {gelu(in[0] + in[1])};
    },
    .in_place = {0b1}};

const OpDef op_defs::bias_gelu_grad_def = {.name = "bias_gelu_grad",
                                           .doc = "From x, bias, dy: dx and dbias of bias_gelu.",
                                           .infer = [](const InferContext& context) -> std::vector<Type> {
                                             context.expect_inputs(3);
                                             context.expect_floating(context.inputs);
                                             expect_bias(context);
                                             if (context.inputs[2].shape != context.inputs[0].shape)
                                               context.error("dy must have the shape of x");
                                             return {context.inputs[0], context.inputs[1]};
                                           },
                                           .cost = cost_of_activation,
                                           .decompose = decompose_bias_gelu_grad,
                                           .in_place = {0b101}};

const OpDef op_defs::swiglu_def = {
    .name = "swiglu",
    .doc = "silu(gate) * up of x = [gate | up] along the last axis.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      context.expect_floating(context.inputs);
      return {{context.inputs[0].dtype, half_of_last_axis(context, context.inputs[0].shape)}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return {c.builder.append_one(Op::swiglu_grad, NoAttributes{}, {c.inputs[0], c.grads[0]}, c.node.where)};
    },
    .cost = cost_of_activation,
    .decompose = [](Builder&, const Node&, std::span<const Value> in) -> std::vector<Value> {
      return {silu(gate_of(in[0])) * up_of(in[0])};
    }};

const OpDef op_defs::swiglu_grad_def = {
    .name = "swiglu_grad",
    .doc = "From x and dy: dx of swiglu.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(2);
      context.expect_floating(context.inputs);
      if (context.inputs[1].shape != half_of_last_axis(context, context.inputs[0].shape)) {
        context.error(fmt::format("dy {} must have half the last axis of x {}", context.inputs[1].shape.to_string(),
                                  context.inputs[0].shape.to_string()));
      }
      return {context.inputs[0]};
    },
    .cost = cost_of_activation,
    .decompose = decompose_swiglu_grad,
    .in_place = {0b1}};

Value gelu(Value x, Where where) { return scale(mul(x, offset(gelu_tanh(x), 1, where), where), 0.5, where); }

Value gelu_erf(Value x, Where where) {
  const Value gate = offset(erf(scale(x, 1 / std::numbers::sqrt2, where), where), 1, where);
  return scale(mul(x, gate, where), 0.5, where);
}

Value silu(Value x, Where where) { return mul(x, sigmoid(x, where), where); }

Value bias_gelu(Value x, Value bias, Where where) {
  return x.builder().append_one(Op::bias_gelu, NoAttributes{}, {x, bias}, where);
}

Value swiglu(Value x, Where where) { return x.builder().append_one(Op::swiglu, NoAttributes{}, {x}, where); }

}  // namespace sesame
