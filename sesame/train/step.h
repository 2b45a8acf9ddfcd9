#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sesame/models/gpt.h"
#include "sesame/optim/adamw.h"
#include "sesame/runtime/program.h"
#include "sesame/runtime/variables.h"

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

/// A training step, compiled: forward and backward per micro-batch, then one update. All its programs share one arena;
/// the calls below allocate nothing. `threads` must outlive it. Not thread-safe.
class TrainingStep {
 public:
  /// Allocates parameters, gradients and moments, all zero, and compiles.
  TrainingStep(const LossFunction& loss, const StepOptions& options, ThreadPool& threads);
  ~TrainingStep();

  /// Inputs and targets, each batch * context, to be written just before a run.
  struct Feed {
    std::span<int32_t> tokens;
    std::span<int32_t> targets;
  };

  /// Micro-batch `index` of a step, index in [0, accumulation): fill feed(index), then run. `counter` is the number of
  /// micro-batches before this one since the start of the run: dropout depends on it. Returns the micro-batch's mean
  /// loss.
  [[nodiscard]] Feed feed(int64_t index);
  double run(int64_t index, uint64_t counter);

  /// The global norm of the gradients of all micro-batches so far.
  double gradient_norm();

  /// Update number `step` (from 1). Call after gradient_norm, whose value clipping uses.
  void update(double learning_rate, int64_t step);

  [[nodiscard]] Feed evaluation_feed();
  double run_evaluation();

  [[nodiscard]] Variables& variables();
  [[nodiscard]] const FlatLayout& layout() const;
  [[nodiscard]] std::span<float> flat_parameters();
  [[nodiscard]] std::span<float> flat_first_moment();
  [[nodiscard]] std::span<float> flat_second_moment();

  /// Bytes of the arena, and of parameters, gradients and moments.
  [[nodiscard]] int64_t arena_bytes() const;
  [[nodiscard]] int64_t variable_bytes() const;

  /// A program of the step with the times that it runs in one step, for profiles.
  struct Part {
    Program* program;
    int64_t runs;
  };
  [[nodiscard]] std::vector<Part> parts();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame
