#include <fmt/format.h>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {

void optimizer(std::vector<OpCase>& cases) {
  for (const int64_t size : {1, 37, 1024, 70001}) {
    cases.push_back({.op = Op::sum_squares,
                     .label = fmt::format("[{}]", size),
                     .build = [=](CaseBuilder& c) { return std::vector{sum_squares(c.real({size}))}; },
                     .differentiable = false,
                     .tolerance = 1e-6});
    for (const double max_grad_norm : {0.0, 1.0}) {
      const AdamWAttributes attributes{.max_grad_norm = max_grad_norm, .decayed = size * 2 / 3};
      cases.push_back({.op = Op::adamw,
                       .label = fmt::format("[{}]{}", size, max_grad_norm > 0 ? ", clipped" : ""),
                       .build =
                           [=](CaseBuilder& c) {
                             const Value parameters = c.real({size});
                             const Value gradients = c.real({size}, -5, 5);
                             const Value first = c.real({size});
                             const Value second = c.real({size}, 0.01, 1);
                             const Value hyper = c.real({3}, 0.1, 0.5);
                             const Value norm = max_grad_norm > 0 ? sum_squares(gradients) : Value{};
                             const AdamWStep step =
                                 adamw(parameters, gradients, first, second, hyper, norm, attributes);
                             return std::vector{step.parameters, step.first_moment, step.second_moment};
                           },
                       .differentiable = false});
    }
  }
}

}  // namespace sesame::op_cases_of
