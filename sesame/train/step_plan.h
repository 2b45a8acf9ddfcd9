#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sesame/runtime/compile.h"
#include "sesame/train/memory_setting.h"
#include "sesame/train/step_graphs.h"

namespace sesame {

/// What a training step runs, compiled for one number of threads, with the place of every value: all that is decided
/// before memory is taken.
struct StepPlan {
  StepOptions options;
  FlatLayout layout;
  AdamWAttributes adamw;
  CompiledGraph gradient;
  std::optional<CompiledGraph> accumulate;  // with options.accumulation > 1
  CompiledGraph norm;
  CompiledGraph update;
  CompiledGraph evaluation;
  std::optional<int64_t> budget_bytes;  // what planned_bytes() had to keep to
  std::optional<int64_t> least_bytes;   // the least budget there is, with a budget

  /// A program with the times that it runs in one step; evaluation 0 times.
  struct Part {
    const CompiledGraph* graph;
    int64_t runs;
  };
  [[nodiscard]] std::vector<Part> parts() const;

  /// Bytes of the arena as it is taken from the machine, in whole huge pages; of parameters, gradients and moments; of
  /// all.
  [[nodiscard]] int64_t arena_bytes() const;
  [[nodiscard]] int64_t parameter_bytes() const { return layout.elements * static_cast<int64_t>(sizeof(float)); }
  [[nodiscard]] int64_t variable_bytes() const { return 4 * parameter_bytes(); }
  [[nodiscard]] int64_t planned_bytes() const { return arena_bytes() + variable_bytes(); }

  /// By the costs that it was planned with: seconds of a step; of a step that computes nothing twice; and a time that
  /// no step within the budget can beat.
  double seconds = 0;
  double seconds_without = 0;
  double lower_bound_seconds = 0;
  [[nodiscard]] double overhead() const { return seconds_without > 0 ? seconds / seconds_without - 1 : 0; }
};

/// Plans one step within different budgets.
class StepPlanner {
 public:
  struct Options {
    int threads = 1;
    std::function<double(const Graph&, const Node&)> seconds = {};  // what nodes cost; empty: roofline_seconds()
  };
  StepPlanner(const LossFunction& loss, const StepOptions& step, Options options);

  /// Throws usage Error that names the least budget if the one given is below it.
  [[nodiscard]] StepPlan plan(const MemorySetting& memory);

  /// The least planned_bytes() that there is.
  [[nodiscard]] int64_t least_bytes();

 private:
  [[nodiscard]] CompiledGraph compiled(const Graph& graph, const RematOptions& remat) const;
  [[nodiscard]] int64_t variable_bytes() const;
  void check_budget(const MemorySetting& memory, int64_t budget);

  StepOptions step_;
  Options options_;
  StepGraphs graphs_;
  CompiledGraph norm_, update_, evaluation_;  // nothing in them is computed again
  std::optional<int64_t> least_bytes_;
};

/// What was done about memory, in one line: "24 of 96 activations replayed, overhead 7.4 %, ...".
std::string replay_text(const StepPlan& plan);

}  // namespace sesame
