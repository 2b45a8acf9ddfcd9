#include <fmt/format.h>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

std::vector<Type> infer_matmul(const InferContext& context) {
  const auto& m = context.attributes_as<MatmulAttributes>();
  context.expect_inputs(2 + size_t{m.bias} + size_t{m.accumulate});
  context.expect_floating(context.inputs);
  const Shape& a = context.inputs[0].shape;
  const Shape& b = context.inputs[1].shape;
  const std::string shapes = fmt::format("a {}{} and b {}{}", a.to_string(), m.transpose_a ? " transposed" : "",
                                         b.to_string(), m.transpose_b ? " transposed" : "");
  if (a.rank() < 2 || b.rank() < 2) context.error("takes operands of two axes or more, not " + shapes);
  const bool folded = b.rank() == 2 && a.rank() > 2 && !m.transpose_a;
  bool batches_agree = folded || a.rank() == b.rank();
  for (int axis = 0; batches_agree && !folded && axis < a.rank() - 2; ++axis) batches_agree = a[axis] == b[axis];
  if (!batches_agree) {
    context.error(shapes + ": leading axes must be equal, or b must have two axes and a not be transposed");
  }
  const int64_t inner_a = a[m.transpose_a ? -2 : -1];
  const int64_t inner_b = b[m.transpose_b ? -1 : -2];
  if (inner_a != inner_b) {
    context.error(fmt::format("{}: the inner sizes {} and {} must be equal", shapes, inner_a, inner_b));
  }
  const int64_t columns = b[m.transpose_b ? -2 : -1];
  const Type out{context.inputs[0].dtype, a.with(-2, a[m.transpose_a ? -1 : -2]).with(-1, columns)};
  if (m.bias && context.inputs[2].shape != Shape{columns}) {
    context.error(fmt::format("bias {} must be [{}]", context.inputs[2].shape.to_string(), columns));
  }
  if (m.accumulate && context.inputs.back() != out) {
    context.error(fmt::format("accumulator {} must be {}", context.inputs.back().to_string(), out.to_string()));
  }
  return {out};
}

/// The rows of x [..., M, K] as one matrix.
Value folded_rows(Value x) {
  const int64_t columns = x.shape()[-1];
  return reshape(x, {x.shape().elements() / columns, columns});
}

Value weight_gradient(const VjpContext& c, const MatmulAttributes& m, Value a, Value grad) {
  if (c.inputs[1].shape().rank() == 2 && a.shape().rank() > 2) {
    a = folded_rows(a);
    grad = folded_rows(grad);
  }
  if (!m.transpose_b) return matmul(a, grad, {.transpose_a = !m.transpose_a});
  return matmul(grad, a, {.transpose_a = true, .transpose_b = m.transpose_a});
}

std::vector<Value> vjp_matmul(const VjpContext& c) {
  const auto& m = c.attributes_as<MatmulAttributes>();
  const Value a = c.inputs[0];
  const Value b = c.inputs[1];
  const Value grad = c.grads[0];
  std::vector<Value> grads(c.inputs.size());
  if (c.wanted[0]) {
    grads[0] = m.transpose_a ? matmul(b, grad, {.transpose_a = m.transpose_b, .transpose_b = true})
                             : matmul(grad, b, {.transpose_b = !m.transpose_b});
  }
  if (c.wanted[1]) grads[1] = weight_gradient(c, m, a, grad);
  if (m.bias) grads[2] = grad;
  if (m.accumulate) grads.back() = grad;
  return grads;
}

Cost cost_of_matmul(const Node& node, std::span<const Type> inputs) {
  const auto& m = std::get<MatmulAttributes>(node.attributes);
  const auto inner = static_cast<double>(inputs[0].shape[m.transpose_a ? -2 : -1]);
  Cost cost;
  cost.flops = 2 * inner * static_cast<double>(node.outputs[0].shape.elements());
  cost.bytes = static_cast<double>(node.outputs[0].bytes());
  for (const Type& type : inputs) cost.bytes += static_cast<double>(type.bytes());
  return cost;
}

}  // namespace

const OpDef op_defs::matmul_def = {.name = "matmul",
                                   .doc = "op(a) op(b) over the last two axes, plus bias, plus accumulator.",
                                   .infer = infer_matmul,
                                   .vjp = vjp_matmul,
                                   .cost = cost_of_matmul,
                                   .cost_class = CostClass::heavy,
                                   // The accumulator is input 2 or 3; a bias never has the result's type.
                                   .in_place = {0b1100}};

Value matmul(Value a, Value b, MatmulOptions options, Where where) {
  const MatmulAttributes attributes{options.transpose_a, options.transpose_b, bool{options.bias},
                                    bool{options.accumulator}};
  std::vector<Value> inputs = {a, b};
  if (options.bias) inputs.push_back(options.bias);
  if (options.accumulator) inputs.push_back(options.accumulator);
  return a.builder().append(Op::matmul, attributes, inputs, where)[0];
}

}  // namespace sesame
