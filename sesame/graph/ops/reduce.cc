#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

std::vector<Type> infer_reduction(const InferContext& context) {
  context.expect_inputs(1);
  context.expect_floating(context.inputs);
  Shape shape = context.inputs[0].shape;
  int64_t previous = -1;
  for (const int64_t axis : context.attributes_as<AxesAttributes>().axes) {
    if (axis <= previous || axis >= shape.rank()) {
      context.error(fmt::format("axes must be ascending and inside {}", shape.to_string()));
    }
    previous = axis;
    shape = shape.with(static_cast<int>(axis), 1);
  }
  return {{context.inputs[0].dtype, shape}};
}

Value reduce(Op op, Value x, std::vector<int64_t> axes, Where where) {
  const int rank = x.shape().rank();
  if (axes.empty()) {
    axes.resize(static_cast<size_t>(rank));
    std::iota(axes.begin(), axes.end(), 0);
  }
  for (int64_t& axis : axes) axis = axis < 0 ? axis + rank : axis;
  std::ranges::sort(axes);
  return x.builder().append_one(op, AxesAttributes{std::move(axes)}, {x}, where);
}

}  // namespace

const OpDef op_defs::reduce_sum_def = {
    .name = "reduce_sum",
    .doc = "Sum over axes, which stay with size 1. The order of additions is fixed.",
    .infer = infer_reduction,
    .vjp = [](const VjpContext& c) -> std::vector<Value> { return {broadcast_to(c.grads[0], c.inputs[0].shape())}; }};

const OpDef op_defs::reduce_max_def = {
    .name = "reduce_max",
    .doc = "Maximum over axes, which stay with size 1. The gradient is shared evenly among equal maxima.",
    .infer = infer_reduction,
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      const Type scalar{c.inputs[0].dtype(), Shape{}};
      const Value is_max =
          select(less(c.inputs[0], c.outputs[0]), c.builder.constant(0, scalar), c.builder.constant(1, scalar));
      const Value ties = reduce_sum(is_max, c.attributes_as<AxesAttributes>().axes);
      return {is_max * (c.grads[0] / ties)};
    }};

Value reduce_sum(Value x, std::vector<int64_t> axes, Where where) {
  return reduce(Op::reduce_sum, x, std::move(axes), where);
}

Value reduce_max(Value x, std::vector<int64_t> axes, Where where) {
  return reduce(Op::reduce_max, x, std::move(axes), where);
}

Value reduce_mean(Value x, std::vector<int64_t> axes, Where where) {
  const Value sum = reduce_sum(x, std::move(axes), where);
  return scale(sum, static_cast<double>(sum.shape().elements()) / static_cast<double>(x.shape().elements()), where);
}

Value softmax(Value x, Where where) {
  const Value e = exp(sub(x, reduce_max(x, {-1}, where), where), where);
  return div(e, reduce_sum(e, {-1}, where), where);
}

}  // namespace sesame
