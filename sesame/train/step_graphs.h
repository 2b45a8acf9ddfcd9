#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "sesame/models/gpt.h"
#include "sesame/optim/adamw.h"

namespace sesame {

/// The mean loss [] of one micro-batch; tokens and targets are int32 [batch, time], targets below 0 are not counted.
/// Every parameter is asked for through `parameters`.
using LossFunction = std::function<Value(Parameters& parameters, Value tokens, Value targets, Mode mode)>;

struct StepOptions {
  int64_t batch = 1;         // sequences in a micro-batch
  int64_t context = 1;       // tokens in a sequence, time
  int64_t accumulation = 1;  // micro-batches in a step
  double beta1 = 0.9;
  double beta2 = 0.95;
  double epsilon = 1e-8;
  double weight_decay = 0.1;
  double clip = 1;  // global norm; 0: none
  uint64_t seed = 0;

  [[nodiscard]] int64_t tokens() const { return batch * context * accumulation; }
};

/// What a step computes, as graphs, before anything is allocated. Gradients are of the loss divided by `accumulation`.
struct StepGraphs {
  FlatLayout layout;
  Graph gradient;                   // loss; "grad/<parameter>" := gradient
  std::optional<Graph> accumulate;  // loss; "grad/<parameter>" += gradient; with accumulation > 1
  Graph norm;                       // squared global norm of "gradients"
  Graph update;                     // AdamW on "parameters"
  Graph evaluation;                 // loss alone, no dropout
  AdamWAttributes adamw;
};
StepGraphs build_step_graphs(const LossFunction& loss, const StepOptions& options);

}  // namespace sesame
