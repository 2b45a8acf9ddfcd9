#include <fmt/format.h>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {

const OpDef op_defs::rope_def = {
    .name = "rope",
    .doc = "Rotary position embedding of the first heads of packed rows [batch, time, width].",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(2);
      context.expect_floating(context.inputs.first(1));
      const auto& a = context.attributes_as<RopeAttributes>();
      const Shape& x = context.inputs[0].shape;
      if (x.rank() != 3) context.error("x must be [batch, time, width], not " + x.to_string());
      if (a.heads < 1 || a.head_dim < 2 || a.head_dim % 2 != 0 || a.heads * a.head_dim > x[2]) {
        context.error(fmt::format("{} heads of an even size {} must fit into the width {}", a.heads, a.head_dim, x[2]));
      }
      if (!(a.theta > 0) || !(a.scaling > 0)) context.error("theta and scaling must be above 0");
      if (context.inputs[1] != Type{DType::i32, {1}}) {
        context.error("start must be int32 [1], not " + context.inputs[1].to_string());
      }
      return {context.inputs[0]};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      RopeAttributes back = c.attributes_as<RopeAttributes>();
      back.inverse = !back.inverse;  // a rotation's transpose is its inverse
      return {c.builder.append_one(Op::rope, back, {c.grads[0], c.inputs[1]}, c.node.where), Value{}};
    },
    .in_place = {0b1}};

Value rope(Value x, Value start, RopeOptions options, Where where) {
  const RopeAttributes attributes{options.heads, options.head_dim, options.theta, options.scaling, false};
  return x.builder().append_one(Op::rope, attributes, {x, start}, where);
}

}  // namespace sesame
