#include <fmt/format.h>

#include "sesame/backend/op_cases/families.h"
#include "sesame/graph/ops/ops.h"

namespace sesame::op_cases_of {
namespace {

struct Projection {
  int64_t rows;
  int64_t columns;
  int64_t classes;
  int64_t lowest_target;  // below 0: such targets are ignored
  int64_t highest_target;

  [[nodiscard]] std::string label() const {
    return fmt::format("[{}, {}] to {} classes, targets from {} to {}", rows, columns, classes, lowest_target,
                       highest_target);
  }

  /// With one class the loss and its gradients are 0.
  [[nodiscard]] double least_magnitude() const { return classes == 1 ? 1e-2 : 0; }

  /// x, w, targets
  [[nodiscard]] std::vector<Value> inputs(CaseBuilder& c) const {
    const Value x = c.real({rows, columns}, -2, 2);
    const Value w = c.real({classes, columns});
    return {x, w, c.whole({rows}, lowest_target, highest_target + 1)};
  }
};

}  // namespace

void cross_entropy(std::vector<OpCase>& cases) {
  for (const Projection& p :
       {Projection{1, 1, 2, 0, 1}, Projection{7, 5, 11, 0, 10}, Projection{9, 3, 1, 0, 0}, Projection{13, 4, 6, -3, 5},
        Projection{5, 4, 6, -2, -1}, Projection{131, 33, 67, -10, 66}, Projection{70, 16, 515, 0, 514}}) {
    cases.push_back({.op = Op::linear_cross_entropy,
                     .label = p.label(),
                     .build =
                         [=](CaseBuilder& c) {
                           const auto in = p.inputs(c);
                           return std::vector{linear_cross_entropy(in[0], in[1], in[2])};
                         },
                     .least_magnitude = p.least_magnitude()});
    cases.push_back({.op = Op::linear_cross_entropy_grad,
                     .label = p.label(),
                     .build =
                         [=](CaseBuilder& c) {
                           auto in = p.inputs(c);
                           in.push_back(c.builder().append(Op::linear_cross_entropy, LinearCrossEntropyAttributes{}, in,
                                                           Where::current())[1]);
                           in.push_back(c.real(Shape{}, 0.5, 1));
                           return c.builder().append(Op::linear_cross_entropy_grad, LinearCrossEntropyAttributes{}, in,
                                                     Where::current());
                         },
                     .differentiable = false,
                     .tolerance = 2e-5,
                     .least_magnitude = p.least_magnitude()});
    for (const bool accumulate : {false, true}) {
      cases.push_back({.op = Op::linear_cross_entropy_step,
                       .label = p.label() + (accumulate ? " + accumulator" : ""),
                       .build =
                           [=](CaseBuilder& c) {
                             auto in = p.inputs(c);
                             if (accumulate) in.push_back(c.real({p.classes, p.columns}));
                             return c.builder().append(Op::linear_cross_entropy_step,
                                                       LinearCrossEntropyAttributes{0.25, accumulate}, in,
                                                       Where::current());
                           },
                       .differentiable = false,
                       .tolerance = 2e-5,
                       .least_magnitude = p.least_magnitude()});
    }
  }
}

}  // namespace sesame::op_cases_of
