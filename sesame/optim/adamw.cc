#include "sesame/optim/adamw.h"

#include <algorithm>
#include <cmath>

#include "sesame/graph/ops/ops.h"

namespace sesame {

FlatLayout flat_layout(std::span<const Parameter> parameters) {
  constexpr int64_t kAlignment = 64 / sizeof(float);
  FlatLayout layout;
  layout.order.assign(parameters.begin(), parameters.end());
  const auto others =
      std::stable_partition(layout.order.begin(), layout.order.end(), [](const Parameter& p) { return p.decay; });
  const auto decaying = static_cast<size_t>(others - layout.order.begin());
  for (size_t i = 0; i < layout.order.size(); ++i) {
    layout.offsets.push_back(layout.elements);
    layout.elements += (layout.order[i].shape.elements() + kAlignment - 1) / kAlignment * kAlignment;
    if (i + 1 == decaying) layout.decayed = layout.elements;
  }
  return layout;
}

Graph grad_norm_graph(int64_t elements) {
  Graph graph;
  Builder builder(graph);
  const Builder::Scope scope(builder, "grad_norm");
  builder.output("grad_norm_squared", sum_squares(builder.variable("gradients", {DType::f32, {elements}})));
  return graph;
}

Graph adamw_graph(int64_t elements, const AdamWAttributes& attributes) {
  Graph graph;
  Builder builder(graph);
  const Builder::Scope scope(builder, "adamw");
  const Type flat{DType::f32, {elements}};
  const Value parameters = builder.variable("parameters", flat);
  const Value gradients = builder.variable("gradients", flat);
  const Value first = builder.variable("adam.first_moment", flat);
  const Value second = builder.variable("adam.second_moment", flat);
  const Value hyper = builder.input("hyper", {DType::f32, {3}});
  const Value grad_norm_squared = builder.input("grad_norm_squared", {DType::f64, Shape{}});
  const AdamWStep step = adamw(parameters, gradients, first, second, hyper, grad_norm_squared, attributes);
  builder.update(parameters, step.parameters);
  builder.update(first, step.first_moment);
  builder.update(second, step.second_moment);
  return graph;
}

std::array<float, 3> adamw_hyper(double learning_rate, int64_t t, const AdamWAttributes& attributes) {
  const auto updates = static_cast<double>(t);
  return {static_cast<float>(learning_rate), static_cast<float>(1.0 - std::pow(attributes.beta1, updates)),
          static_cast<float>(1.0 - std::pow(attributes.beta2, updates))};
}

}  // namespace sesame
