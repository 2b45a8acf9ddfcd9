#include <fmt/format.h>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

Shape without_last_axis(const Shape& shape) { return Shape(shape.dims().first(static_cast<size_t>(shape.rank() - 1))); }

void expect_channels(const InferContext& context, const Shape& x, const Type& per_channel, const char* what) {
  if (x.rank() < 1) context.error("x must have at least one axis");
  if (per_channel.shape != Shape{x[-1]}) {
    context.error(fmt::format("{} {} must be [{}], the last axis of x {}", what, per_channel.shape.to_string(), x[-1],
                              x.to_string()));
  }
}

void expect_rows(const InferContext& context, const Shape& x, const Type& per_row, const char* what) {
  if (per_row.shape != without_last_axis(x)) {
    context.error(fmt::format("{} {} must be {}", what, per_row.shape.to_string(), without_last_axis(x).to_string()));
  }
}

void expect_same(const InferContext& context, const Shape& x, const Type& grad) {
  if (grad.shape != x) context.error(fmt::format("dy {} must be {}", grad.shape.to_string(), x.to_string()));
}

/// A value per row as a column that broadcasts over the last axis.
Value column(Value per_row) {
  std::vector<int64_t> dims(per_row.shape().dims().begin(), per_row.shape().dims().end());
  dims.push_back(1);
  return reshape(per_row, Shape(dims));
}

Value per_row(Value column_value) { return reshape(column_value, without_last_axis(column_value.shape())); }

/// Sums over all axes but the last: [..., C] -> [C].
Value sum_rows(Value x) {
  const int64_t channels = x.shape()[-1];
  return reshape(reduce_sum(reshape(x, {x.shape().elements() / channels, channels}), {0}), {channels});
}

Value last_mean(Value x) { return reduce_mean(x, {-1}); }

Value one_over(Value x) { return x.builder().constant(1, {x.dtype(), Shape{}}) / x; }

std::vector<Value> decompose_layer_norm(Builder&, const Node& node, std::span<const Value> in) {
  const Value mean = last_mean(in[0]);
  const Value centred = in[0] - mean;
  const Value rstd = one_over(sqrt(offset(last_mean(centred * centred), node.attributes_as<NormAttributes>().epsilon)));
  return {centred * rstd * in[1] + in[2], per_row(mean), per_row(rstd)};
}

std::vector<Value> decompose_layer_norm_grad(Builder&, const Node&, std::span<const Value> in) {
  const Value rstd = column(in[3]);
  const Value normalised = (in[0] - column(in[2])) * rstd;
  const Value scaled = in[4] * in[1];
  const Value dx = rstd * (scaled - last_mean(scaled) - normalised * last_mean(scaled * normalised));
  return {dx, sum_rows(in[4] * normalised), sum_rows(in[4])};
}

std::vector<Value> decompose_rms_norm(Builder&, const Node& node, std::span<const Value> in) {
  const Value rstd = one_over(sqrt(offset(last_mean(in[0] * in[0]), node.attributes_as<NormAttributes>().epsilon)));
  return {in[0] * rstd * in[1], per_row(rstd)};
}

std::vector<Value> decompose_rms_norm_grad(Builder&, const Node&, std::span<const Value> in) {
  const Value rstd = column(in[2]);
  const Value normalised = in[0] * rstd;
  const Value scaled = in[3] * in[1];
  return {rstd * (scaled - normalised * last_mean(scaled * normalised)), sum_rows(in[3] * normalised)};
}

}  // namespace

const OpDef op_defs::layer_norm_def = {
    .name = "layer_norm",
    .doc = "(x - mean) / sqrt(var + epsilon) * gain + bias over the last axis; also gives mean and 1/sqrt per row.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(3);
      context.expect_floating(context.inputs);
      const Type& x = context.inputs[0];
      expect_channels(context, x.shape, context.inputs[1], "gain");
      expect_channels(context, x.shape, context.inputs[2], "bias");
      const Type row{x.dtype, without_last_axis(x.shape)};
      return {x, row, row};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return c.builder.append(Op::layer_norm_grad, c.node.attributes,
                              std::vector<Value>{c.inputs[0], c.inputs[1], c.outputs[1], c.outputs[2], c.grads[0]},
                              c.node.where);
    },
    .decompose = decompose_layer_norm,
    .in_place = {0b1}};

const OpDef op_defs::layer_norm_grad_def = {.name = "layer_norm_grad",
                                            .doc = "From x, gain, mean, rstd, dy: dx, dgain, dbias of layer_norm.",
                                            .infer = [](const InferContext& context) -> std::vector<Type> {
                                              context.expect_inputs(5);
                                              context.expect_floating(context.inputs);
                                              const Type& x = context.inputs[0];
                                              expect_channels(context, x.shape, context.inputs[1], "gain");
                                              expect_rows(context, x.shape, context.inputs[2], "mean");
                                              expect_rows(context, x.shape, context.inputs[3], "rstd");
                                              expect_same(context, x.shape, context.inputs[4]);
                                              return {x, context.inputs[1], context.inputs[1]};
                                            },
                                            .decompose = decompose_layer_norm_grad,
                                            .in_place = {0b10001}};

const OpDef op_defs::rms_norm_def = {
    .name = "rms_norm",
    .doc = "x / sqrt(mean(x^2) + epsilon) * gain over the last axis; also gives 1/sqrt per row.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(2);
      context.expect_floating(context.inputs);
      const Type& x = context.inputs[0];
      expect_channels(context, x.shape, context.inputs[1], "gain");
      return {x, {x.dtype, without_last_axis(x.shape)}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return c.builder.append(Op::rms_norm_grad, c.node.attributes,
                              std::vector<Value>{c.inputs[0], c.inputs[1], c.outputs[1], c.grads[0]}, c.node.where);
    },
    .decompose = decompose_rms_norm,
    .in_place = {0b1}};

const OpDef op_defs::rms_norm_grad_def = {.name = "rms_norm_grad",
                                          .doc = "From x, gain, rstd, dy: dx, dgain of rms_norm.",
                                          .infer = [](const InferContext& context) -> std::vector<Type> {
                                            context.expect_inputs(4);
                                            context.expect_floating(context.inputs);
                                            const Type& x = context.inputs[0];
                                            expect_channels(context, x.shape, context.inputs[1], "gain");
                                            expect_rows(context, x.shape, context.inputs[2], "rstd");
                                            expect_same(context, x.shape, context.inputs[3]);
                                            return {x, context.inputs[1]};
                                          },
                                          .decompose = decompose_rms_norm_grad,
                                          .in_place = {0b1001}};

Value layer_norm(Value x, Value gain, Value bias, double epsilon, Where where) {
  return x.builder().append_one(Op::layer_norm, NormAttributes{epsilon}, {x, gain, bias}, where);
}

Value rms_norm(Value x, Value gain, double epsilon, Where where) {
  return x.builder().append_one(Op::rms_norm, NormAttributes{epsilon}, {x, gain}, where);
}

}  // namespace sesame
