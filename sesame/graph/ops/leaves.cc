#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

std::vector<Type> infer_leaf(const InferContext& context) {
  context.expect_inputs(0);
  return {context.attributes_as<LeafAttributes>().type};
}

Cost no_cost(const Node&, std::span<const Type>) { return {}; }

}  // namespace

const OpDef op_defs::input_def = {
    .name = "input", .doc = "Data that the caller writes before every step.", .infer = infer_leaf, .cost = no_cost};

const OpDef op_defs::variable_def = {.name = "variable",
                                     .doc = "A tensor that lives outside the step: a parameter, a moment, a cache.",
                                     .infer = infer_leaf,
                                     .cost = no_cost};

const OpDef op_defs::constant_def = {.name = "constant",
                                     .doc = "A tensor of one repeated value.",
                                     .infer = [](const InferContext& context) -> std::vector<Type> {
                                       context.expect_inputs(0);
                                       return {context.attributes_as<ConstantAttributes>().type};
                                     }};

const OpDef op_defs::iota_def = {.name = "iota",
                                 .doc = "int32: each element is its index along the last axis.",
                                 .infer = [](const InferContext& context) -> std::vector<Type> {
                                   context.expect_inputs(0);
                                   return {{DType::i32, context.attributes_as<ShapeAttributes>().shape}};
                                 }};

Value iota(Builder& builder, Shape shape, Where where) {
  return builder.append_one(Op::iota, ShapeAttributes{shape}, {}, where);
}

}  // namespace sesame
