#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "sesame/runtime/program.h"
#include "sesame/runtime/variables.h"
#include "sesame/train/step_plan.h"

namespace sesame {

/// A training step, compiled: forward and backward per micro-batch, then one update. All its programs share one arena;
/// the calls below allocate nothing. `threads` must outlive it. Not thread-safe.
class TrainingStep {
 public:
  /// Allocates parameters, gradients and moments, all zero. The plan must be for so many threads.
  TrainingStep(StepPlan plan, ThreadPool& threads);

  /// Plans without a limit on memory.
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
