#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sesame/base/machine.h"
#include "sesame/base/thread_pool.h"
#include "sesame/models/gpt_config.h"
#include "sesame/runtime/measured_costs.h"
#include "sesame/train/forecast.h"
#include "sesame/train/recipe.h"
#include "sesame/train/step_plan.h"

namespace sesame {

/// One way to cut a step's sequences into micro-batches.
struct Split {
  int64_t batch = 0;
  int64_t accumulation = 0;
  bool fits = false;  // in the budget, or without one in the memory that is free
  int64_t planned_bytes = 0;
  double overhead = 0;
  double seconds = 0;        // of a step
  std::string problem = {};  // why it does not fit

  [[nodiscard]] double tokens_per_s(int64_t context) const {
    return static_cast<double>(batch * accumulation * context) / seconds;
  }
};

/// How a recipe's step will run here.
struct RecipePlan {
  Recipe recipe;              // as given, but with the split that was chosen where it asked for that
  std::vector<Split> splits;  // that it was chosen from
  StepPlan step;
  Forecast forecast;
};

/// Plans the steps of a recipe with the costs of this machine. Costs are measured (for a few seconds at most, and kept
/// for the next time) where a choice depends on them, that is with a limit on memory or a split to choose, or where
/// `measure` says so; else they are taken from earlier measurements, if there are any.
class RecipePlanner {
 public:
  enum class Measure : uint8_t { where_it_matters, always };

  /// `threads` must outlive it.
  RecipePlanner(const Recipe& recipe, const GptConfig& config, ThreadPool& threads, const MachineSpeed& machine,
                Measure measure = Measure::where_it_matters);

  /// Throws usage Error that names the least budget if the recipe's is below it, or if no split fits.
  [[nodiscard]] RecipePlan plan();

  /// Every split of batch_size x accumulation sequences whose micro-batch divides them, at most ten of them, by rising
  /// micro-batch.
  [[nodiscard]] std::vector<Split> splits();

  /// A planner of steps with these costs; it must not outlive this object.
  [[nodiscard]] StepPlanner step_planner(int64_t batch, int64_t accumulation);

  /// Writes newly measured costs to the file.
  void finish() { costs_.finish(); }

  [[nodiscard]] const MeasuredCosts& costs() const { return costs_; }

 private:
  [[nodiscard]] Split split_of(int64_t batch, int64_t accumulation);

  Recipe recipe_;
  GptConfig config_;
  int threads_;
  MeasuredCosts costs_;
};

/// The fastest split that fits; of those that take within 1 % of its time, the one with the largest micro-batch. Throws
/// usage Error with the reason of the smallest micro-batch if none fits.
const Split& best_split(const std::vector<Split>& splits);

}  // namespace sesame
