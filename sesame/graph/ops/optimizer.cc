#include <fmt/format.h>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

std::vector<Type> infer_adamw(const InferContext& context) {
  const auto& a = context.attributes_as<AdamWAttributes>();
  if (context.inputs.size() != 5 && context.inputs.size() != 6) context.expect_inputs(5);
  context.expect_floating(context.inputs.first(5));
  const Type& parameters = context.inputs[0];
  if (parameters.shape.rank() != 1) context.error("takes flat buffers, not " + parameters.shape.to_string());
  for (size_t i = 1; i < 4; ++i) {
    if (context.inputs[i] != parameters) {
      context.error(
          fmt::format("buffers must be alike, not {} and {}", parameters.to_string(), context.inputs[i].to_string()));
    }
  }
  if (context.inputs[4].shape != Shape{3}) context.error("hyper must be [3]");
  if (context.inputs.size() == 6 && context.inputs[5] != Type{DType::f64, Shape{}}) {
    context.error("the squared gradient norm must be a float64 scalar");
  }
  if (a.decayed < 0 || a.decayed > parameters.shape[0]) {
    context.error(fmt::format("decayed {} is outside [0, {}]", a.decayed, parameters.shape[0]));
  }
  return {parameters, parameters, parameters};
}

std::vector<Value> decompose_adamw(Builder& b, const Node& node, std::span<const Value> in) {
  const auto& a = node.attributes_as<AdamWAttributes>();
  const DType dtype = in[0].dtype();
  const auto hyper = [&](int64_t i) { return reshape(slice(in[4], 0, i, 1), Shape{}); };
  Value grad = in[1];
  if (in.size() == 6 && a.max_grad_norm > 0) {
    const Type scalar{DType::f64, Shape{}};
    const Value ratio = b.constant(a.max_grad_norm, scalar) / offset(sqrt(in[5]), 1e-6);
    const Value factor = select(less(ratio, b.constant(1, scalar)), ratio, b.constant(1, scalar));
    grad = grad * cast(factor, dtype);
  }
  const Value m = scale(in[2], a.beta1) + scale(grad, 1 - a.beta1);
  const Value v = scale(in[3], a.beta2) + scale(grad * grad, 1 - a.beta2);
  const Value direction = (m / hyper(1)) / offset(sqrt(v / hyper(2)), a.epsilon);
  const Type scalar{dtype, Shape{}};
  const Value is_decayed =
      less(iota(b, in[0].shape()), b.constant(static_cast<double>(a.decayed), {DType::i32, Shape{}}));
  const Value decay = select(is_decayed, b.constant(a.weight_decay, scalar), b.constant(0, scalar)) * in[0];
  return {in[0] - hyper(0) * (direction + decay), m, v};
}

}  // namespace

const OpDef op_defs::sum_squares_def = {
    .name = "sum_squares",
    .doc = "Sum of squares of all elements in float64, in a fixed order.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      context.expect_floating(context.inputs);
      return {{DType::f64, Shape{}}};
    },
    .cost =
        [](const Node&, std::span<const Type> inputs) {
          return Cost{.flops = 2.0 * static_cast<double>(inputs[0].shape.elements()),
                      .bytes = static_cast<double>(inputs[0].bytes())};
        },
    .decompose = [](Builder&, const Node&, std::span<const Value> in) -> std::vector<Value> {
      const Value wide = cast(in[0], DType::f64);
      return {reshape(reduce_sum(wide * wide), Shape{})};
    }};

const OpDef op_defs::adamw_def = {.name = "adamw",
                                  .doc = "One AdamW step over flat buffers, with bias correction and clipping by norm.",
                                  .infer = infer_adamw,
                                  .cost =
                                      [](const Node& node, std::span<const Type> inputs) {
                                        return Cost{
                                            .flops = 15.0 * static_cast<double>(node.outputs[0].shape.elements()),
                                            .bytes = 7.0 * static_cast<double>(inputs[0].bytes())};
                                      },
                                  .cost_class = CostClass::never_twice,
                                  .decompose = decompose_adamw,
                                  .in_place = {0b1, 0b100, 0b1000}};

Value sum_squares(Value x, Where where) { return x.builder().append_one(Op::sum_squares, NoAttributes{}, {x}, where); }

AdamWStep adamw(Value parameters, Value gradients, Value first_moment, Value second_moment, Value hyper,
                Value grad_norm_squared, AdamWAttributes attributes, Where where) {
  std::vector<Value> inputs = {parameters, gradients, first_moment, second_moment, hyper};
  if (grad_norm_squared) inputs.push_back(grad_norm_squared);
  const auto outputs = parameters.builder().append(Op::adamw, attributes, inputs, where);
  return {outputs[0], outputs[1], outputs[2]};
}

}  // namespace sesame
