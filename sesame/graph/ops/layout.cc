#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

int64_t checked_axis(const InferContext& context, int64_t axis, int rank) {
  if (axis < 0 || axis >= rank) context.error(fmt::format("axis {} is outside [0, {})", axis, rank));
  return axis;
}

int64_t from_start(int64_t axis, int rank) { return axis < 0 ? axis + rank : axis; }

}  // namespace

const OpDef op_defs::reshape_def = {
    .name = "reshape",
    .doc = "The same bytes under another shape.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      const Shape& from = context.inputs[0].shape;
      const Shape& to = context.attributes_as<ShapeAttributes>().shape;
      if (from.elements() != to.elements()) {
        context.error(fmt::format("{} has {} elements and cannot become {} with {}", from.to_string(), from.elements(),
                                  to.to_string(), to.elements()));
      }
      return {{context.inputs[0].dtype, to}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> { return {reshape(c.grads[0], c.inputs[0].shape())}; },
    .view = true};

const OpDef op_defs::permute_def = {
    .name = "permute",
    .doc = "Axis order[i] of the input becomes axis i.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      const Shape& shape = context.inputs[0].shape;
      const auto& order = context.attributes_as<AxesAttributes>().axes;
      std::vector<int64_t> sorted = order;
      std::ranges::sort(sorted);
      std::vector<int64_t> all(static_cast<size_t>(shape.rank()));
      std::iota(all.begin(), all.end(), 0);
      if (sorted != all) {
        context.error(fmt::format("the order must name each axis of {} once", shape.to_string()));
      }
      std::vector<int64_t> dims;
      for (const int64_t axis : order) dims.push_back(shape[static_cast<int>(axis)]);
      return {{context.inputs[0].dtype, Shape(dims)}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      const auto& order = c.attributes_as<AxesAttributes>().axes;
      std::vector<int64_t> inverse(order.size());
      for (size_t i = 0; i < order.size(); ++i) inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
      return {permute(c.grads[0], inverse)};
    }};

const OpDef op_defs::broadcast_to_def = {
    .name = "broadcast_to",
    .doc = "Repeats axes of size 1 (and missing leading axes) to reach a shape.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      const Shape& from = context.inputs[0].shape;
      const Shape& to = context.attributes_as<ShapeAttributes>().shape;
      Shape both;
      if (!broadcast_shapes(from, to, &both) || both != to) {
        context.error(fmt::format("{} does not broadcast to {}", from.to_string(), to.to_string()));
      }
      return {{context.inputs[0].dtype, to}};
    },
    // The driver sums a gradient of the broadcast shape to the input's.
    .vjp = [](const VjpContext& c) -> std::vector<Value> { return {c.grads[0]}; }};

const OpDef op_defs::slice_def = {
    .name = "slice",
    .doc = "A range along one axis.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      const auto& a = context.attributes_as<SliceAttributes>();
      const Shape& shape = context.inputs[0].shape;
      const int axis = static_cast<int>(checked_axis(context, a.axis, shape.rank()));
      if (a.begin < 0 || a.size < 1 || a.begin + a.size > shape[axis]) {
        context.error(
            fmt::format("[{}, {}) is not inside axis {} of {}", a.begin, a.begin + a.size, axis, shape.to_string()));
      }
      return {{context.inputs[0].dtype, shape.with(axis, a.size)}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      const auto& a = c.attributes_as<SliceAttributes>();
      return {pad(c.grads[0], a.axis, a.begin, c.inputs[0].shape()[static_cast<int>(a.axis)])};
    }};

const OpDef op_defs::pad_def = {
    .name = "pad",
    .doc = "Zeros before and after along one axis.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      const auto& a = context.attributes_as<SliceAttributes>();
      const Shape& shape = context.inputs[0].shape;
      const int axis = static_cast<int>(checked_axis(context, a.axis, shape.rank()));
      if (a.begin < 0 || a.begin + shape[axis] > a.size) {
        context.error(
            fmt::format("{} at {} does not fit into {} along axis {}", shape.to_string(), a.begin, a.size, axis));
      }
      return {{context.inputs[0].dtype, shape.with(axis, a.size)}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      const auto& a = c.attributes_as<SliceAttributes>();
      return {slice(c.grads[0], a.axis, a.begin, c.inputs[0].shape()[static_cast<int>(a.axis)])};
    }};

Value reshape(Value x, Shape shape, Where where) {
  if (x.shape() == shape) return x;
  return x.builder().append_one(Op::reshape, ShapeAttributes{shape}, {x}, where);
}

Value permute(Value x, std::vector<int64_t> order, Where where) {
  return x.builder().append_one(Op::permute, AxesAttributes{std::move(order)}, {x}, where);
}

Value broadcast_to(Value x, Shape shape, Where where) {
  if (x.shape() == shape) return x;
  return x.builder().append_one(Op::broadcast_to, ShapeAttributes{shape}, {x}, where);
}

Value slice(Value x, int64_t axis, int64_t begin, int64_t size, Where where) {
  const SliceAttributes attributes{from_start(axis, x.shape().rank()), begin, size};
  return x.builder().append_one(Op::slice, attributes, {x}, where);
}

Value pad(Value x, int64_t axis, int64_t begin, int64_t size, Where where) {
  const SliceAttributes attributes{from_start(axis, x.shape().rank()), begin, size};
  return x.builder().append_one(Op::pad, attributes, {x}, where);
}

}  // namespace sesame
