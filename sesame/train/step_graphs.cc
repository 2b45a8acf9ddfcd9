#include "sesame/train/step_graphs.h"

#include "sesame/graph/ops/ops.h"
#include "sesame/passes/vjp.h"

namespace sesame {
namespace {

constexpr const char* kLoss = "loss";

Type token_type(const StepOptions& options) { return {DType::i32, Shape{options.batch, options.context}}; }

Value add_loss(Builder& builder, const LossFunction& loss, const StepOptions& options, Parameters& parameters,
               Mode mode) {
  const Value tokens = builder.input("tokens", token_type(options));    // [batch, time]
  const Value targets = builder.input("targets", token_type(options));  // [batch, time]
  const Value value = loss(parameters, tokens, targets, mode);          // []
  builder.output(kLoss, value);
  return value;
}

std::string gradient_name(const Parameter& parameter) { return "grad/" + parameter.name; }

Graph gradient_graph(const LossFunction& loss, const StepOptions& options, bool accumulate, Parameters& parameters) {
  Graph graph;
  Builder builder(graph);
  const Value value = add_loss(builder, loss, options, parameters, Mode::training);
  std::vector<Value> leaves;
  for (const Parameter& p : parameters.list()) leaves.push_back(builder.variable(p.name, {DType::f32, p.shape}));
  std::vector<Value> sums;
  for (const Parameter& p : parameters.list())
    sums.push_back(builder.variable(gradient_name(p), {DType::f32, p.shape}));
  const double scale = 1.0 / static_cast<double>(options.accumulation);
  const std::vector<Value> grads =
      gradients(builder, value, leaves, scale, accumulate ? std::span<const Value>(sums) : std::span<const Value>());
  for (size_t i = 0; i < grads.size(); ++i) builder.update(sums[i], grads[i]);
  return graph;
}

Graph evaluation_graph(const LossFunction& loss, const StepOptions& options) {
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  add_loss(builder, loss, options, parameters, Mode::evaluation);
  return graph;
}

}  // namespace

StepGraphs build_step_graphs(const LossFunction& loss, const StepOptions& options) {
  StepGraphs graphs;
  Parameters parameters;
  graphs.gradient = gradient_graph(loss, options, false, parameters);
  if (options.accumulation > 1) {
    Parameters again;
    graphs.accumulate = gradient_graph(loss, options, true, again);
  }
  graphs.layout = flat_layout(parameters.list());
  graphs.adamw = {.beta1 = options.beta1,
                  .beta2 = options.beta2,
                  .epsilon = options.epsilon,
                  .weight_decay = options.weight_decay,
                  .max_grad_norm = options.clip,
                  .decayed = graphs.layout.decayed};
  graphs.norm = grad_norm_graph(graphs.layout.elements);
  graphs.update = adamw_graph(graphs.layout.elements, graphs.adamw);
  graphs.evaluation = evaluation_graph(loss, options);
  return graphs;
}

}  // namespace sesame
