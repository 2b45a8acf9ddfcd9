#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {

void normalisation(std::vector<OpCase>& cases) {
  const NormAttributes attributes{1e-5};
  for (const Shape& shape : {Shape{2}, Shape{3, 1}, Shape{1, 7}, Shape{2, 3, 33}, Shape{70, 130}, Shape{257, 64}}) {
    const std::string label = shape.to_string();
    const Shape channels{shape[-1]};
    // In rows of one or two elements the terms of dx, each of the order of rstd, cancel but for a rest of epsilon's
    // order.
    const double least_magnitude = shape[-1] == 1 ? 1 : shape[-1] == 2 ? 1e-2 : 0;
    cases.push_back({.op = Op::layer_norm, .label = label, .build = [=](CaseBuilder& c) {
                       return std::vector{layer_norm(c.real(shape, -2, 3), c.real(channels), c.real(channels), 1e-5)};
                     }});
    cases.push_back({.op = Op::layer_norm_grad,
                     .label = label,
                     .build =
                         [=](CaseBuilder& c) {
                           const Value x = c.real(shape, -2, 3);
                           const Value gain = c.real(channels);
                           const auto norm = c.builder().append(
                               Op::layer_norm, attributes, std::vector{x, gain, c.real(channels)}, Where::current());
                           return c.builder().append(Op::layer_norm_grad, attributes,
                                                     std::vector{x, gain, norm[1], norm[2], c.real(shape)},
                                                     Where::current());
                         },
                     .differentiable = false,
                     .tolerance = 2e-5,
                     .least_magnitude = least_magnitude});
    cases.push_back({.op = Op::rms_norm, .label = label, .build = [=](CaseBuilder& c) {
                       return std::vector{rms_norm(c.real(shape, -2, 3), c.real(channels), 1e-5)};
                     }});
    cases.push_back(
        {.op = Op::rms_norm_grad,
         .label = label,
         .build =
             [=](CaseBuilder& c) {
               const Value x = c.real(shape, -2, 3);
               const Value gain = c.real(channels);
               const auto norm = c.builder().append(Op::rms_norm, attributes, std::vector{x, gain}, Where::current());
               return c.builder().append(Op::rms_norm_grad, attributes, std::vector{x, gain, norm[1], c.real(shape)},
                                         Where::current());
             },
         .differentiable = false,
         .tolerance = 2e-5,
         .least_magnitude = least_magnitude});
  }
}

}  // namespace sesame::op_cases_of
