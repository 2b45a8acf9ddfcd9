#include <fmt/format.h>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

Shape with_last_axis(const Shape& shape, int64_t size) {
  std::vector<int64_t> dims(shape.dims().begin(), shape.dims().end());
  dims.push_back(size);
  return Shape(dims);
}

void expect_ids(const InferContext& context, const Type& ids) {
  if (ids.dtype != DType::i32) context.error("ids must be int32, not " + ids.to_string());
}

Cost cost_of_rows(const Node& node, std::span<const Type> inputs) {
  // Only the rows that are named are read.
  return {.flops = 0, .bytes = 2.0 * static_cast<double>(node.outputs[0].bytes() + inputs[1].bytes())};
}

}  // namespace

const OpDef op_defs::embedding_def = {
    .name = "embedding",
    .doc = "Rows of a table [V, C] by ids.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(2);
      context.expect_floating(context.inputs.first(1));
      expect_ids(context, context.inputs[1]);
      const Type& table = context.inputs[0];
      if (table.shape.rank() != 2) context.error("the table must be [V, C], not " + table.shape.to_string());
      return {{table.dtype, with_last_axis(context.inputs[1].shape, table.shape[1])}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return {embedding_grad(c.grads[0], c.inputs[1], c.inputs[0].shape()[0]), Value{}};
    },
    .cost = cost_of_rows};

const OpDef op_defs::embedding_grad_def = {
    .name = "embedding_grad",
    .doc = "Adds the rows of a gradient [..., C] at their ids into [rows, C], in order.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      const auto& a = context.attributes_as<EmbeddingGradAttributes>();
      context.expect_inputs(2 + size_t{a.accumulate});
      context.expect_floating(context.inputs.first(1));
      expect_ids(context, context.inputs[1]);
      const Type& grad = context.inputs[0];
      if (grad.shape.rank() < 1 || grad.shape != with_last_axis(context.inputs[1].shape, grad.shape[-1])) {
        context.error(fmt::format("gradient {} must be the shape of ids {} with one more axis", grad.shape.to_string(),
                                  context.inputs[1].shape.to_string()));
      }
      const Type out{grad.dtype, {a.rows, grad.shape[-1]}};
      if (a.accumulate && context.inputs[2] != out) {
        context.error(fmt::format("accumulator {} must be {}", context.inputs[2].to_string(), out.to_string()));
      }
      return {out};
    },
    .in_place = {0b100}};

const OpDef op_defs::one_hot_def = {
    .name = "one_hot",
    .doc = "1 where the last axis' index equals the id, else 0.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      expect_ids(context, context.inputs[0]);
      const Type& out = context.attributes_as<ConstantAttributes>().type;
      if (out.shape.rank() < 1 || out.shape != with_last_axis(context.inputs[0].shape, out.shape[-1])) {
        context.error(fmt::format("{} must be the shape of ids {} with one more axis", out.to_string(),
                                  context.inputs[0].shape.to_string()));
      }
      return {out};
    }};

Value embedding(Value table, Value ids, Where where) {
  return table.builder().append_one(Op::embedding, NoAttributes{}, {table, ids}, where);
}

Value embedding_grad(Value grad, Value ids, int64_t rows, Value accumulator, Where where) {
  std::vector<Value> inputs = {grad, ids};
  if (accumulator) inputs.push_back(accumulator);
  const EmbeddingGradAttributes attributes{rows, bool{accumulator}};
  return grad.builder().append(Op::embedding_grad, attributes, inputs, where)[0];
}

Value one_hot(Value ids, int64_t classes, DType dtype, Where where) {
  const ConstantAttributes attributes{1, {dtype, with_last_axis(ids.shape(), classes)}};
  return ids.builder().append_one(Op::one_hot, attributes, {ids}, where);
}

}  // namespace sesame
