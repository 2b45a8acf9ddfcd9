#include "sesame/train/plan_recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/train/model_recipe.h"

namespace sesame {
namespace {

constexpr double kMeasuringSeconds = 5;

bool costs_matter(const Recipe& recipe) {
  return recipe.train.split == "auto" || parse_memory(recipe.train.memory, "train.memory").budget().has_value();
}

/// The divisors of n, ascending; of many, some ten that lie evenly between the first and the last.
std::vector<int64_t> some_divisors(int64_t n) {
  constexpr size_t kMost = 10;
  std::vector<int64_t> all;
  for (int64_t d = 1; d <= n; ++d)
    if (n % d == 0) all.push_back(d);
  if (all.size() <= kMost) return all;
  std::vector<int64_t> some;
  for (size_t i = 0; i < kMost; ++i) some.push_back(all[i * (all.size() - 1) / (kMost - 1)]);
  return some;
}

}  // namespace

RecipePlanner::RecipePlanner(const Recipe& recipe, const GptConfig& config, ThreadPool& threads,
                             const MachineSpeed& machine, Measure measure)
    : recipe_(recipe),
      config_(config),
      threads_(threads.threads()),
      costs_({.threads = &threads,
              .file = default_cost_file(),
              .limit_seconds = measure == Measure::always || costs_matter(recipe) ? kMeasuringSeconds : 0,
              .machine = machine}) {}

StepPlanner RecipePlanner::step_planner(int64_t batch, int64_t accumulation) {
  StepOptions options = step_options(recipe_);
  options.batch = batch;
  options.accumulation = accumulation;
  return {gpt_loss_function(config_), options, {.threads = threads_, .seconds = std::ref(costs_)}};
}

RecipePlan RecipePlanner::plan() {
  RecipePlan result{.recipe = recipe_, .splits = {}, .step = {}, .forecast = {}};
  TrainOptions& train = result.recipe.train;
  if (train.split == "auto") {
    result.splits = splits();
    const Split& best = best_split(result.splits);
    train.batch_size = best.batch;
    train.accumulation = best.accumulation;
    train.split = "given";
  }
  result.step = step_planner(train.batch_size, train.accumulation).plan(parse_memory(train.memory, "train.memory"));
  result.forecast = forecast(result.step, &costs_);
  finish();
  return result;
}

std::vector<Split> RecipePlanner::splits() {
  const int64_t sequences = recipe_.train.batch_size * recipe_.train.accumulation;
  std::vector<Split> all;
  for (const int64_t batch : some_divisors(sequences)) all.push_back(split_of(batch, sequences / batch));
  finish();
  return all;
}

Split RecipePlanner::split_of(int64_t batch, int64_t accumulation) {
  Split split{.batch = batch, .accumulation = accumulation};
  try {
    const StepPlan plan = step_planner(batch, accumulation).plan(parse_memory(recipe_.train.memory, "train.memory"));
    check_memory(forecast(plan), available_memory());
    split.fits = true;
    split.planned_bytes = plan.planned_bytes();
    split.overhead = plan.overhead();
    split.seconds = plan.seconds;
  } catch (const Error& error) {
    split.problem = error.what();
  }
  return split;
}

const Split& best_split(const std::vector<Split>& splits) {
  constexpr double kAlike = 1.01;
  const Split* fastest = nullptr;
  for (const Split& split : splits)
    if (split.fits && (fastest == nullptr || split.seconds < fastest->seconds)) fastest = &split;
  if (fastest == nullptr) fail_usage(splits.front().problem);
  const Split* best = fastest;
  for (const Split& split : splits)
    if (split.fits && split.batch > best->batch && split.seconds <= kAlike * fastest->seconds) best = &split;
  return *best;
}

}  // namespace sesame
