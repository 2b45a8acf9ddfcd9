// Whole training steps within memory budgets, each beside a step that keeps every value: the overhead that was expected
// of the plan against the one that is measured, in processor time, which other programs disturb less.
//   memory_bench RECIPE.toml [pairs of steps [section.key=value ...]]

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <vector>

#include "sesame/base/philox.h"
#include "sesame/base/text_format.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/plan_recipe.h"
#include "sesame/train/step.h"

namespace sesame {
namespace {

/// Processor time of this process so far, all threads.
double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// A step on random tokens.
class Runner {
 public:
  Runner(StepPlan plan, const GptConfig& config, ThreadPool& threads)
      : options_(plan.options), vocabulary_(config.vocab_size), step_(std::move(plan), threads) {
    for (const Parameter& p : step_.layout().order) {
      const Tensor tensor = step_.variables().get(p.name);
      initialise(p, options_.seed, {tensor.as<float>(), static_cast<size_t>(tensor.elements())}, &threads);
    }
    run();
  }

  double run() {
    const double start = processor_seconds();
    for (int64_t i = 0; i < options_.accumulation; ++i) {
      const TrainingStep::Feed feed = step_.feed(i);
      const Philox random(1, static_cast<uint64_t>(i));
      for (size_t at = 0; at < feed.tokens.size(); ++at) {
        feed.tokens[at] = static_cast<int32_t>(random.word(at, 0) % static_cast<uint64_t>(vocabulary_));
        feed.targets[at] = static_cast<int32_t>(random.word(at, 1) % static_cast<uint64_t>(vocabulary_));
      }
      step_.run(i, static_cast<uint64_t>(i));
    }
    step_.gradient_norm();
    step_.update(1e-4, ++steps_);
    return processor_seconds() - start;
  }

 private:
  StepOptions options_;
  int64_t vocabulary_;
  TrainingStep step_;
  int64_t steps_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const std::string& path, int pairs, const std::vector<std::string>& settings) {
  const Recipe recipe = load_recipe(path, settings);
  const GptConfig config = model_config(recipe);
  ThreadPool threads(static_cast<int>(recipe.train.threads));
  RecipePlanner recipe_planner(recipe, config, threads, probe_machine(threads), RecipePlanner::Measure::always);
  StepPlanner planner = recipe_planner.step_planner(recipe.train.batch_size, recipe.train.accumulation);
  using Kind = MemorySetting::Kind;
  const StepPlan keep = planner.plan({Kind::keep, 0});
  const int64_t variables = keep.variable_bytes();
  const auto activations = static_cast<double>(keep.arena_bytes());
  const int64_t least = planner.least_bytes();
  Runner kept(keep, config, threads);
  fmt::print("{}: {} without replays, expected {:.4g} s a step\n", path,
             human_bytes(static_cast<uint64_t>(keep.planned_bytes())), keep.seconds);
  fmt::print("{:>8} {:>10} {:>10} {:>10} {:>10} {:>8}\n", "arena", "planned", "at least", "expected", "measured",
             "cpu s");
  for (const double share : {0.75, 0.5, 0.35, 0.25, 0.18, 0.12}) {
    const int64_t budget = std::max(least, variables + static_cast<int64_t>(share * activations));
    const StepPlan plan = planner.plan({Kind::bytes, budget});
    const double expected = plan.overhead();
    const double bound = plan.lower_bound_seconds / plan.seconds_without - 1;
    const int64_t arena = plan.arena_bytes();
    Runner tight(plan, config, threads);
    std::vector<double> ratios, seconds;
    for (int i = 0; i < pairs; ++i) {
      const double before = kept.run();
      seconds.push_back(tight.run());
      ratios.push_back(2 * seconds.back() / (before + kept.run()));
    }
    fmt::print("{:>7.1f}% {:>10} {:>9.1f}% {:>9.1f}% {:>9.1f}% {:>8.4g}\n",
               100 * static_cast<double>(arena) / activations, human_bytes(static_cast<uint64_t>(arena + variables)),
               100 * bound, 100 * expected, 100 * (median(ratios) - 1), median(seconds));
    if (budget == least) break;
  }
  recipe_planner.finish();
}

}  // namespace
}  // namespace sesame

int main(int argc, char** argv) {
  try {
    if (argc < 2) throw std::runtime_error("usage: memory_bench RECIPE.toml [pairs of steps [section.key=value ...]]");
    const std::vector<std::string> settings(argv + std::min(argc, 3), argv + argc);
    sesame::run(argv[1], argc > 2 ? std::max(1, std::atoi(argv[2])) : 5, settings);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "memory_bench: {}\n", error.what());
    return 1;
  }
}
