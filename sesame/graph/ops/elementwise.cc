#include <fmt/format.h>

#include <numbers>

#include "sesame/graph/ops/op_defs.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

Shape broadcast_operands(const InferContext& context, std::span<const Type> operands) {
  Shape shape = operands[0].shape;
  for (const Type& type : operands.subspan(1)) {
    Shape wider;
    if (!broadcast_shapes(shape, type.shape, &wider)) {
      context.error(fmt::format("shapes {} and {} do not broadcast: sizes aligned at the last axis must be equal or 1",
                                shape.to_string(), type.shape.to_string()));
    }
    shape = wider;
  }
  return shape;
}

void expect_numbers(const InferContext& context, const Type& a, const Type& b) {
  if (a.dtype != b.dtype || a.dtype == DType::boolean) {
    context.error(fmt::format("takes numbers of one dtype, not {} and {}", a.to_string(), b.to_string()));
  }
}

std::vector<Type> infer_arithmetic(const InferContext& context) {
  context.expect_inputs(2);
  expect_numbers(context, context.inputs[0], context.inputs[1]);
  return {{context.inputs[0].dtype, broadcast_operands(context, context.inputs)}};
}

std::vector<Type> infer_unary(const InferContext& context) {
  context.expect_inputs(1);
  context.expect_floating(context.inputs);
  return {context.inputs[0]};
}

Value one_minus(Value x) { return offset(neg(x), 1.0); }

}  // namespace

const OpDef op_defs::add_def = {.name = "add",
                                .doc = "a + b, broadcasting.",
                                .infer = infer_arithmetic,
                                .vjp = [](const VjpContext& c) -> std::vector<Value> {
                                  return {c.grads[0], c.grads[0]};
                                },
                                .in_place = {0b11}};

const OpDef op_defs::sub_def = {.name = "sub",
                                .doc = "a - b, broadcasting.",
                                .infer = infer_arithmetic,
                                .vjp = [](const VjpContext& c) -> std::vector<Value> {
                                  return {c.grads[0], c.wanted[1] ? neg(c.grads[0]) : Value{}};
                                },
                                .in_place = {0b11}};

const OpDef op_defs::mul_def = {
    .name = "mul",
    .doc = "a * b, broadcasting.",
    .infer = infer_arithmetic,
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return {c.wanted[0] ? c.grads[0] * c.inputs[1] : Value{}, c.wanted[1] ? c.grads[0] * c.inputs[0] : Value{}};
    },
    .in_place = {0b11}};

const OpDef op_defs::div_def = {.name = "div",
                                .doc = "a / b, broadcasting; int32 division truncates.",
                                .infer = infer_arithmetic,
                                .vjp = [](const VjpContext& c) -> std::vector<Value> {
                                  const Value by_b = c.grads[0] / c.inputs[1];
                                  return {by_b, c.wanted[1] ? neg(by_b * c.outputs[0]) : Value{}};
                                },
                                .in_place = {0b11}};

const OpDef op_defs::less_def = {.name = "less",
                                 .doc = "a < b as bool, broadcasting.",
                                 .infer = [](const InferContext& context) -> std::vector<Type> {
                                   context.expect_inputs(2);
                                   expect_numbers(context, context.inputs[0], context.inputs[1]);
                                   return {{DType::boolean, broadcast_operands(context, context.inputs)}};
                                 }};

const OpDef op_defs::neg_def = {.name = "neg",
                                .doc = "-x.",
                                .infer = infer_unary,
                                .vjp = [](const VjpContext& c) -> std::vector<Value> { return {neg(c.grads[0])}; },
                                .in_place = {0b1}};

const OpDef op_defs::exp_def = {
    .name = "exp",
    .doc = "e^x.",
    .infer = infer_unary,
    .vjp = [](const VjpContext& c) -> std::vector<Value> { return {c.grads[0] * c.outputs[0]}; },
    .in_place = {0b1}};

const OpDef op_defs::log_def = {
    .name = "log",
    .doc = "Natural logarithm.",
    .infer = infer_unary,
    .vjp = [](const VjpContext& c) -> std::vector<Value> { return {c.grads[0] / c.inputs[0]}; },
    .in_place = {0b1}};

const OpDef op_defs::sqrt_def = {
    .name = "sqrt",
    .doc = "Square root.",
    .infer = infer_unary,
    .vjp = [](const VjpContext& c) -> std::vector<Value> { return {scale(c.grads[0] / c.outputs[0], 0.5)}; },
    .in_place = {0b1}};

const OpDef op_defs::tanh_def = {.name = "tanh",
                                 .doc = "Hyperbolic tangent.",
                                 .infer = infer_unary,
                                 .vjp = [](const VjpContext& c) -> std::vector<Value> {
                                   return {c.grads[0] * one_minus(c.outputs[0] * c.outputs[0])};
                                 },
                                 .in_place = {0b1}};

const OpDef op_defs::sigmoid_def = {.name = "sigmoid",
                                    .doc = "1 / (1 + e^-x).",
                                    .infer = infer_unary,
                                    .vjp = [](const VjpContext& c) -> std::vector<Value> {
                                      return {c.grads[0] * c.outputs[0] * one_minus(c.outputs[0])};
                                    },
                                    .in_place = {0b1}};

const OpDef op_defs::erf_def = {.name = "erf",
                                .doc = "The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.",
                                .infer = infer_unary,
                                .vjp = [](const VjpContext& c) -> std::vector<Value> {
                                  const Value bell = exp(neg(c.inputs[0] * c.inputs[0]));
                                  return {c.grads[0] * scale(bell, 2 * std::numbers::inv_sqrtpi)};
                                },
                                .in_place = {0b1}};

const OpDef op_defs::select_def = {
    .name = "select",
    .doc = "condition ? a : b, broadcasting.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(3);
      if (context.inputs[0].dtype != DType::boolean) {
        context.error("the condition must be bool, not " + context.inputs[0].to_string());
      }
      expect_numbers(context, context.inputs[1], context.inputs[2]);
      return {{context.inputs[1].dtype, broadcast_operands(context, context.inputs)}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      const Value zero = c.builder.constant(0, {c.grads[0].dtype(), Shape{}});
      return {Value{}, select(c.inputs[0], c.grads[0], zero), select(c.inputs[0], zero, c.grads[0])};
    },
    .in_place = {0b110}};

const OpDef op_defs::cast_def = {
    .name = "cast",
    .doc = "The same numbers in another dtype; to int32 truncates, to bool is x != 0.",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      return {{context.attributes_as<CastAttributes>().dtype, context.inputs[0].shape}};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> { return {cast(c.grads[0], c.inputs[0].dtype())}; }};

const OpDef op_defs::dropout_def = {
    .name = "dropout",
    .doc = "Zeroes elements at random and scales the rest; the mask is drawn from (seed, key, step, element).",
    .infer = [](const InferContext& context) -> std::vector<Type> {
      context.expect_inputs(1);
      context.expect_floating(context.inputs);
      const double rate = context.attributes_as<DropoutAttributes>().rate;
      if (!(rate >= 0 && rate < 1)) context.error(fmt::format("rate {} is outside [0, 1)", rate));
      return {context.inputs[0]};
    },
    .vjp = [](const VjpContext& c) -> std::vector<Value> {
      return {c.builder.append_one(Op::dropout, c.node.attributes, {c.grads[0]}, c.node.where)};
    },
    .in_place = {0b1}};

Value add(Value a, Value b, Where where) { return a.builder().append_one(Op::add, NoAttributes{}, {a, b}, where); }
Value sub(Value a, Value b, Where where) { return a.builder().append_one(Op::sub, NoAttributes{}, {a, b}, where); }
Value mul(Value a, Value b, Where where) { return a.builder().append_one(Op::mul, NoAttributes{}, {a, b}, where); }
Value div(Value a, Value b, Where where) { return a.builder().append_one(Op::div, NoAttributes{}, {a, b}, where); }
Value less(Value a, Value b, Where where) { return a.builder().append_one(Op::less, NoAttributes{}, {a, b}, where); }
Value select(Value condition, Value a, Value b, Where where) {
  return condition.builder().append_one(Op::select, NoAttributes{}, {condition, a, b}, where);
}

Value scale(Value x, double factor, Where where) {
  return mul(x, x.builder().constant(factor, {x.dtype(), Shape{}}, where), where);
}
Value offset(Value x, double term, Where where) {
  return add(x, x.builder().constant(term, {x.dtype(), Shape{}}, where), where);
}

Value neg(Value x, Where where) { return x.builder().append_one(Op::neg, NoAttributes{}, {x}, where); }
Value exp(Value x, Where where) { return x.builder().append_one(Op::exp, NoAttributes{}, {x}, where); }
Value log(Value x, Where where) { return x.builder().append_one(Op::log, NoAttributes{}, {x}, where); }
Value sqrt(Value x, Where where) { return x.builder().append_one(Op::sqrt, NoAttributes{}, {x}, where); }
Value tanh(Value x, Where where) { return x.builder().append_one(Op::tanh, NoAttributes{}, {x}, where); }
Value sigmoid(Value x, Where where) { return x.builder().append_one(Op::sigmoid, NoAttributes{}, {x}, where); }

Value erf(Value x, Where where) { return x.builder().append_one(Op::erf, NoAttributes{}, {x}, where); }

Value cast(Value x, DType dtype, Where where) {
  if (x.dtype() == dtype) return x;
  return x.builder().append_one(Op::cast, CastAttributes{dtype}, {x}, where);
}

Value dropout(Value x, double rate, Where where) {
  if (rate == 0) return x;
  const DropoutAttributes attributes{rate, x.builder().next_random_key()};
  return x.builder().append_one(Op::dropout, attributes, {x}, where);
}

}  // namespace sesame
