#include <fmt/format.h>

#include <utility>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

void leaves(std::vector<OpCase>& cases) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{3, 5}}) {
    const std::string label = shape.to_string();
    cases.push_back({.op = Op::input,
                     .label = label,
                     .build = [=](CaseBuilder& c) { return std::vector{c.real(shape)}; },
                     .differentiable = false,
                     .tolerance = 0});
    cases.push_back({.op = Op::variable,
                     .label = label,
                     .build =
                         [=](CaseBuilder& c) {
                           return std::vector{c.builder().variable("weight", {c.dtype(), shape})};
                         },
                     .differentiable = false,
                     .tolerance = 0});
    cases.push_back({.op = Op::constant,
                     .label = label,
                     .build =
                         [=](CaseBuilder& c) {
                           return std::vector{c.builder().constant(0.75, {c.dtype(), shape}),
                                              c.builder().constant(-3, {DType::i32, shape}),
                                              c.builder().constant(1, {DType::boolean, shape})};
                         },
                     .differentiable = false,
                     .tolerance = 0});
    cases.push_back({.op = Op::iota,
                     .label = label,
                     .build = [=](CaseBuilder& c) { return std::vector{iota(c.builder(), shape)}; },
                     .differentiable = false,
                     .tolerance = 0});
  }
}

/// One layout change on floating and on int32 elements.
void change(std::vector<OpCase>& cases, Op op, const std::string& label, const Shape& shape,
            const std::function<Value(Value)>& function) {
  cases.push_back({.op = op,
                   .label = label,
                   .build = [=](CaseBuilder& c) { return std::vector{function(c.real(shape))}; },
                   .tolerance = 0});
  cases.push_back({.op = op,
                   .label = label + ", int32 and bool",
                   .build =
                       [=](CaseBuilder& c) {
                         return std::vector{function(c.whole(shape, -99, 99)), function(c.flags(shape))};
                       },
                   .differentiable = false,
                   .tolerance = 0});
}

void shape_changes(std::vector<OpCase>& cases) {
  for (const auto& [from, to] : std::vector<std::pair<Shape, Shape>>{
           {{1}, Shape{}}, {{3, 4}, {2, 6}}, {{2, 3, 5}, {30}}, {Shape{}, {1, 1, 1}}}) {
    change(cases, Op::reshape, from.to_string() + " to " + to.to_string(), from,
           [target = to](Value x) { return reshape(x, target); });
  }
  for (const auto& [from, to] : std::vector<std::pair<Shape, Shape>>{
           {{1}, {7}}, {Shape{}, {2, 3}}, {{3, 1}, {2, 3, 5}}, {{5}, {4, 5}}, {{2, 1, 3, 1}, {2, 4, 3, 5}}}) {
    change(cases, Op::broadcast_to, from.to_string() + " to " + to.to_string(), from,
           [target = to](Value x) { return broadcast_to(x, target); });
  }
}

void permutations(std::vector<OpCase>& cases) {
  const auto add = [&](const Shape& shape, const std::vector<int64_t>& order) {
    change(cases, Op::permute, fmt::format("{} by {}", shape.to_string(), to_string(AxesAttributes{order})), shape,
           [=](Value x) { return permute(x, order); });
  };
  add({1}, {0});
  add({3, 5}, {1, 0});
  add({2, 3, 4}, {2, 0, 1});
  add({2, 7, 3, 5}, {0, 2, 1, 3});
  add({2, 7, 3, 5}, {0, 2, 3, 1});
  add({130, 67}, {1, 0});
  add({2, 3, 2, 3, 2, 3}, {5, 1, 3, 0, 2, 4});
}

void ranges(std::vector<OpCase>& cases) {
  const auto add = [&](const Shape& shape, int64_t axis, int64_t begin, int64_t size, int64_t padded) {
    const std::string where = fmt::format("{} axis {} at {}", shape.to_string(), axis, begin);
    change(cases, Op::slice, fmt::format("{}, {} long", where, size), shape,
           [=](Value x) { return slice(x, axis, begin, size); });
    change(cases, Op::pad, fmt::format("{}, to {}", where, padded), shape,
           [=](Value x) { return pad(x, axis, begin, padded); });
  };
  add({1}, 0, 0, 1, 4);
  add({7}, 0, 2, 3, 9);
  add({3, 5}, 0, 1, 2, 4);
  add({3, 5}, -1, 4, 1, 9);
  add({2, 9, 33}, 1, 3, 4, 12);
  add({5, 129, 65}, 2, 1, 64, 70);
}

void reductions(std::vector<OpCase>& cases) {
  const auto add = [&](const Shape& shape, const std::vector<int64_t>& axes) {
    const std::string label = shape.to_string() + (axes.empty() ? " all" : " " + to_string(AxesAttributes{axes}));
    cases.push_back({.op = Op::reduce_sum, .label = label, .build = [=](CaseBuilder& c) {
                       return std::vector{reduce_sum(c.real(shape), axes)};
                     }});
    cases.push_back({.op = Op::reduce_max,
                     .label = label,
                     .build = [=](CaseBuilder& c) { return std::vector{reduce_max(c.real(shape), axes)}; },
                     .tolerance = 0,
                     // Narrow enough that no second largest value comes into play.
                     .gradient_step = 1e-6});
  };
  add(Shape{}, {});
  add({1}, {});
  add({7}, {0});
  add({3, 5}, {0});
  add({3, 5}, {1});
  add({2, 3, 5}, {0, 2});
  add({2, 3, 5}, {1});
  add({2, 1, 4, 1}, {1, 3});
  add({2, 3, 5, 7}, {-1, 0});
  add({33, 257}, {});
  add({257, 130}, {0});
  add({70, 1031}, {-1});
}

}  // namespace

void layout(std::vector<OpCase>& cases) {
  leaves(cases);
  shape_changes(cases);
  permutations(cases);
  ranges(cases);
  reductions(cases);
}

}  // namespace sesame::op_cases_of
