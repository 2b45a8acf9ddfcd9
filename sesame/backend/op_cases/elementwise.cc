#include <fmt/format.h>

#include <utility>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

using Shapes = std::vector<std::pair<Shape, Shape>>;

const Shapes& operand_shapes() {
  static const Shapes shapes = {{Shape{}, Shape{}},  {{1}, {1}},           {{3, 5}, {3, 5}},        {{2, 3, 33}, {33}},
                                {{2, 1, 5}, {3, 1}}, {Shape{}, {4}},       {{6, 1}, {1, 7}},        {{130, 517}, {517}},
                                {{1, 3}, {2, 1, 1}}, {{4, 3, 1}, {3, 17}}, {{129, 515}, {129, 515}}};
  return shapes;
}

std::string label_of(const Shape& a, const Shape& b) { return fmt::format("{}, {}", a.to_string(), b.to_string()); }

void binary(std::vector<OpCase>& cases, Op op, Value (*function)(Value, Value, Where), double low_b, double high_b) {
  for (const auto& [a, b] : operand_shapes()) {
    cases.push_back({.op = op, .label = label_of(a, b), .build = [=, shape_a = a, shape_b = b](CaseBuilder& c) {
                       return std::vector{function(c.real(shape_a), c.real(shape_b, low_b, high_b), Where::current())};
                     }});
  }
  cases.push_back({.op = op,
                   .label = "int32, broadcasting",
                   .build =
                       [=](CaseBuilder& c) {
                         return std::vector{function(c.whole({5, 7}, -9, 9), c.whole({7}, 1, 9), Where::current())};
                       },
                   .differentiable = false,
                   .tolerance = 0});
}

void comparisons(std::vector<OpCase>& cases) {
  for (const auto& [a, b] : operand_shapes()) {
    cases.push_back({.op = Op::less,
                     .label = label_of(a, b),
                     .build = [shape_a = a, shape_b = b](
                                  CaseBuilder& c) { return std::vector{less(c.real(shape_a), c.real(shape_b))}; },
                     .differentiable = false,
                     .tolerance = 0});
  }
  cases.push_back({.op = Op::less,
                   .label = "int32 with equal values",
                   .build =
                       [](CaseBuilder& c) {
                         return std::vector{less(c.whole({6, 1}, 0, 4), c.whole({1, 9}, 0, 4))};
                       },
                   .differentiable = false,
                   .tolerance = 0});
}

void unary(std::vector<OpCase>& cases, Op op, Value (*function)(Value, Where), double low, double high) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{7}, Shape{3, 5, 13}, Shape{131, 513}}) {
    cases.push_back({.op = op, .label = shape.to_string(), .build = [=](CaseBuilder& c) {
                       return std::vector{function(c.real(shape, low, high), Where::current())};
                     }});
  }
}

void selections(std::vector<OpCase>& cases) {
  const auto add = [&](const Shape& condition, const Shape& a, const Shape& b) {
    cases.push_back(
        {.op = Op::select,
         .label = fmt::format("{} ? {} : {}", condition.to_string(), a.to_string(), b.to_string()),
         .build = [=](CaseBuilder& c) { return std::vector{select(c.flags(condition), c.real(a), c.real(b))}; }});
  };
  add({1}, {1}, {1});
  add({3, 5}, {3, 5}, {3, 5});
  add({5}, Shape{}, {3, 5});
  add({3, 1}, {2, 1, 5}, Shape{});
  add({65, 33}, Shape{}, {2, 3, 65, 33});
  cases.push_back({.op = Op::select,
                   .label = "int32",
                   .build =
                       [](CaseBuilder& c) {
                         return std::vector{select(c.flags({4, 1}), c.whole({3}, 0, 9), c.whole({4, 3}, -9, 0))};
                       },
                   .differentiable = false,
                   .tolerance = 0});
}

/// The floating type that the case is not built for.
DType other(DType dtype) { return dtype == DType::f32 ? DType::f64 : DType::f32; }

void casts(std::vector<OpCase>& cases) {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5}}) {
    // Linear, so a wide step costs nothing and hides the rounding to float32.
    cases.push_back({.op = Op::cast,
                     .label = "floating to floating " + shape.to_string(),
                     .build = [=](CaseBuilder& c) { return std::vector{cast(c.real(shape), other(c.dtype()))}; },
                     .tolerance = 1e-7,
                     .gradient_step = 1,
                     .gradient_tolerance = 1e-5});
    cases.push_back({.op = Op::cast,
                     .label = "int32 to floating " + shape.to_string(),
                     .build = [=](CaseBuilder& c) { return std::vector{cast(c.whole(shape, -1000, 1000), c.dtype())}; },
                     .differentiable = false,
                     .tolerance = 0});
    cases.push_back({.op = Op::cast,
                     .label = "floating to int32 " + shape.to_string(),
                     .build = [=](CaseBuilder& c) { return std::vector{cast(c.real(shape, -9, 9), DType::i32)}; },
                     .differentiable = false,
                     .tolerance = 0});
    cases.push_back({.op = Op::cast,
                     .label = "bool to floating " + shape.to_string(),
                     .build = [=](CaseBuilder& c) { return std::vector{cast(c.flags(shape), c.dtype())}; },
                     .differentiable = false,
                     .tolerance = 0});
    cases.push_back({.op = Op::cast,
                     .label = "int32 to bool " + shape.to_string(),
                     .build = [=](CaseBuilder& c) { return std::vector{cast(c.whole(shape, -1, 2), DType::boolean)}; },
                     .differentiable = false,
                     .tolerance = 0});
  }
}

void dropouts(std::vector<OpCase>& cases) {
  for (const auto& [shape, rate] : std::vector<std::pair<Shape, double>>{
           {{1}, 0.5}, {{7}, 0.1}, {{3, 5, 13}, 0.25}, {{131, 513}, 0.1}, {{64, 100}, 0.9}}) {
    cases.push_back(
        {.op = Op::dropout,
         .label = fmt::format("{}, rate {}", shape.to_string(), rate),
         .build = [kept = shape, share = rate](CaseBuilder& c) { return std::vector{dropout(c.real(kept), share)}; }});
  }
}

}  // namespace

void elementwise(std::vector<OpCase>& cases) {
  binary(cases, Op::add, add, -1, 1);
  binary(cases, Op::sub, sub, -1, 1);
  binary(cases, Op::mul, mul, -1, 1);
  binary(cases, Op::div, div, 0.5, 2);
  comparisons(cases);
  unary(cases, Op::neg, neg, -1, 1);
  unary(cases, Op::exp, exp, -3, 3);
  unary(cases, Op::log, log, 0.2, 3);
  unary(cases, Op::sqrt, sqrt, 0.2, 3);
  unary(cases, Op::tanh, tanh, -3, 3);
  unary(cases, Op::sigmoid, sigmoid, -3, 3);
  unary(cases, Op::erf, erf, -3, 3);
  selections(cases);
  casts(cases);
  dropouts(cases);
}

}  // namespace sesame::op_cases_of
