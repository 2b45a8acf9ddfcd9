#include <fmt/format.h>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

using Reduction = FusedOutput::Reduction;

/// Writes a list, instruction by instruction.
class List {
 public:
  List(Shape shape, std::vector<Value> inputs) : inputs_(std::move(inputs)) { attributes_.shape = shape; }

  /// The number of the new value.
  int32_t then(Op op, int32_t a = -1, int32_t b = -1, int32_t c = -1, double value = 0, int64_t key = 0) {
    attributes_.instructions.push_back({op, {a, b, c}, value, key});
    return static_cast<int32_t>(inputs_.size() + attributes_.instructions.size()) - 1;
  }
  int32_t number(double value) { return then(Op::constant, -1, -1, -1, value); }
  List& result(int32_t value, Reduction reduction = Reduction::none) {
    attributes_.results.push_back({value, reduction});
    return *this;
  }
  List& over(std::vector<int64_t> axes) {
    attributes_.axes = std::move(axes);
    return *this;
  }
  std::vector<Value> node(CaseBuilder& c) { return fused(c.builder(), attributes_, inputs_); }

 private:
  FusedAttributes attributes_;
  std::vector<Value> inputs_;
};

void add(std::vector<OpCase>& cases, std::string label, std::function<std::vector<Value>(CaseBuilder&)> build) {
  cases.push_back({.op = Op::fused, .label = std::move(label), .build = std::move(build), .differentiable = false});
}

void dropout_and_residual(std::vector<OpCase>& cases, const Shape& shape) {
  add(cases, "x + dropout(h) " + shape.to_string(), [=](CaseBuilder& c) {
    List list(shape, {c.fixed(shape), c.fixed(shape)});
    const int32_t kept = list.then(Op::dropout, 1, -1, -1, 0.25, 99);
    return list.result(list.then(Op::add, 0, kept)).node(c);
  });
}

/// Two results, the first of which is read again after the operand that it may replace; and a sum over rows.
void sum_of_gradients(std::vector<OpCase>& cases, const Shape& shape, const std::vector<int64_t>& axes) {
  add(cases, "gradient, its dropout and the sum over rows " + shape.to_string(), [=](CaseBuilder& c) {
    List list(shape, {c.fixed(shape), c.fixed(shape)});
    const int32_t sum = list.then(Op::add, 0, 1);
    const int32_t dropped = list.then(Op::dropout, sum, -1, -1, 0.1, 7);
    const int32_t twice = list.then(Op::add, dropped, 0);
    return list.result(sum).result(twice).result(twice, Reduction::sum).over(axes).node(c);
  });
}

/// exp(x - largest) and its sum; `largest` has one element per row.
void softmax_numerator(std::vector<OpCase>& cases, const Shape& shape, const std::vector<int64_t>& axes) {
  add(cases, fmt::format("exp(x - largest) and its sum, {}", shape.to_string()), [=](CaseBuilder& c) {
    Shape column = shape;
    for (const int64_t axis : axes) column = column.with(static_cast<int>(axis), 1);
    List list(shape, {c.fixed(shape, -3, 3), c.fixed(column, 2, 3)});
    const int32_t e = list.then(Op::exp, list.then(Op::sub, 0, 1));
    return list.result(e).result(e, Reduction::sum).over(axes).node(c);
  });
}

void largest(std::vector<OpCase>& cases, const Shape& shape, const std::vector<int64_t>& axes) {
  add(cases, fmt::format("the largest of -x, {} over {} axes", shape.to_string(), axes.size()), [=](CaseBuilder& c) {
    List list(shape, {c.fixed(shape)});
    return list.result(list.then(Op::neg, 0), Reduction::max).over(axes).node(c);
  });
}

/// Every instruction, over operands of every kind of broadcasting and dtype.
void every_instruction(std::vector<OpCase>& cases, const Shape& shape) {
  add(cases, "every instruction " + shape.to_string(), [=](CaseBuilder& c) {
    const Shape row{shape[-1]}, column = shape.with(-1, 1);
    List list(shape, {c.fixed(shape, 0.2, 2), c.fixed(row), c.fixed(column, 0.5, 2), c.fixed(Shape{}), c.flags(shape),
                      c.flags(row), c.whole(column, -9, 9)});
    int32_t x = list.then(Op::mul, list.then(Op::log, 0), 1);
    x = list.then(Op::div, list.then(Op::tanh, x), 2);
    x = list.then(Op::sub, list.then(Op::sigmoid, x), list.then(Op::neg, list.then(Op::erf, 1)));
    x = list.then(Op::add, x, list.then(Op::mul, 3, list.number(0.75)));
    x = list.then(Op::select, list.then(Op::less, x, 1), list.then(Op::exp, x), list.then(Op::sqrt, 0));
    x = list.then(Op::select, 5, x, list.then(Op::add, x, list.then(Op::cast, 6)));
    x = list.then(Op::add, x, list.then(Op::cast, list.then(Op::cast, list.then(Op::sub, 0, 0))));
    x = list.then(Op::dropout, list.then(Op::add, x, list.then(Op::cast, 4)), -1, -1, 0.5, 3);
    return list.result(x).result(list.then(Op::less, x, 3)).result(list.then(Op::broadcast_to, 1)).node(c);
  });
}

}  // namespace

void fused(std::vector<OpCase>& cases) {
  for (const Shape& shape : {Shape{1}, Shape{7}, Shape{3, 5, 13}, Shape{131, 513}}) dropout_and_residual(cases, shape);
  sum_of_gradients(cases, {3, 5}, {0});
  sum_of_gradients(cases, {2, 70, 130}, {0, 1});
  sum_of_gradients(cases, {5, 1}, {0});
  sum_of_gradients(cases, {300, 2100}, {0});
  softmax_numerator(cases, {4, 9}, {1});
  softmax_numerator(cases, {130, 65}, {1});
  softmax_numerator(cases, {3, 2, 1500}, {2});
  softmax_numerator(cases, {2, 300, 200}, {1, 2});
  softmax_numerator(cases, {70, 1}, {1});
  largest(cases, {6, 5, 4}, {0});
  largest(cases, {6, 5, 4}, {1, 2});
  largest(cases, {90, 900}, {0, 1});
  for (const Shape& shape : {Shape{1}, Shape{3, 17}, Shape{2, 3, 515}}) every_instruction(cases, shape);
}

}  // namespace sesame::op_cases_of
