#include <fmt/format.h>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

void activations(std::vector<OpCase>& cases) {
  for (const Shape& shape : {Shape{2}, Shape{1, 2}, Shape{3, 14}, Shape{2, 3, 66}, Shape{130, 514}}) {
    const std::string label = shape.to_string();
    const Shape channels{shape[-1]};
    const Shape half = shape.with(-1, shape[-1] / 2);
    cases.push_back({.op = Op::bias_gelu, .label = label, .build = [=](CaseBuilder& c) {
                       return std::vector{bias_gelu(c.real(shape, -3, 3), c.real(channels))};
                     }});
    cases.push_back({.op = Op::bias_gelu_grad,
                     .label = label,
                     .build =
                         [=](CaseBuilder& c) {
                           return c.builder().append(Op::bias_gelu_grad, NoAttributes{},
                                                     std::vector{c.real(shape, -3, 3), c.real(channels), c.real(shape)},
                                                     Where::current());
                         },
                     .differentiable = false});
    cases.push_back({.op = Op::swiglu, .label = label, .build = [=](CaseBuilder& c) {
                       return std::vector{swiglu(c.real(shape, -3, 3))};
                     }});
    cases.push_back({.op = Op::swiglu_grad,
                     .label = label,
                     .build =
                         [=](CaseBuilder& c) {
                           return std::vector{c.builder().append_one(Op::swiglu_grad, NoAttributes{},
                                                                     {c.real(shape, -3, 3), c.real(half)},
                                                                     Where::current())};
                         },
                     .differentiable = false});
  }
}

struct Rotation {
  Shape x;
  RopeAttributes attributes;
};

void rotations(std::vector<OpCase>& cases) {
  for (const Rotation& r :
       {Rotation{{1, 1, 2}, {.heads = 1, .head_dim = 2}}, Rotation{{2, 5, 14}, {.heads = 3, .head_dim = 4}},
        Rotation{{1, 9, 24}, {.heads = 3, .head_dim = 8, .theta = 500, .scaling = 4}},
        Rotation{{2, 5, 14}, {.heads = 1, .head_dim = 6, .inverse = true}},
        Rotation{{3, 67, 96}, {.heads = 4, .head_dim = 16}}}) {
    cases.push_back({.op = Op::rope,
                     .label = fmt::format("{} {}", r.x.to_string(), to_string(r.attributes)),
                     .build = [=](CaseBuilder& c) {
                       const Value x = c.real(r.x);
                       return std::vector{
                           c.builder().append_one(Op::rope, r.attributes, {x, c.whole({1}, 0, 40)}, Where::current())};
                     }});
  }
}

}  // namespace

void activation(std::vector<OpCase>& cases) {
  activations(cases);
  rotations(cases);
}

}  // namespace sesame::op_cases_of
