#include "sesame/train/step_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/error_of.h"
#include "sesame/base/philox.h"
#include "sesame/base/text_format.h"
#include "sesame/train/forecast.h"
#include "sesame/train/memory_curve.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/step.h"

namespace sesame {
namespace {

using Kind = MemorySetting::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// Large enough for budgets to be many pages of the arena apart.
GptConfig config_of(Family family) {
  GptConfig config;
  config.family = family;
  config.vocab_size = 65;
  config.context = 64;
  config.width = 64;
  config.layers = 4;
  config.heads = 4;
  config.dropout = 0.1;
  return resolved(config, "test");
}

StepOptions options_of(int64_t accumulation = 1) {
  StepOptions options;
  options.batch = 16;
  options.context = 64;
  options.accumulation = accumulation;
  options.seed = 7;
  return options;
}

/// Parameters and moments after two steps on random tokens, and the losses.
std::vector<float> trained(StepPlan plan, const GptConfig& config) {
  ThreadPool threads(2);
  const StepOptions options = plan.options;
  const int64_t arena_bytes = plan.arena_bytes();
  const int64_t planned_bytes = plan.planned_bytes();
  TrainingStep step(std::move(plan), threads);
  EXPECT_EQ(step.arena_bytes(), arena_bytes);
  EXPECT_EQ(step.arena_bytes() + step.variable_bytes(), planned_bytes);
  for (const Parameter& p : step.layout().order) {
    const Tensor t = step.variables().get(p.name);
    initialise(p, options.seed, {t.as<float>(), static_cast<size_t>(t.elements())});
  }
  std::vector<float> result;
  uint64_t counter = 0;
  for (int64_t update = 1; update <= 2; ++update) {
    for (int64_t i = 0; i < options.accumulation; ++i, ++counter) {
      const TrainingStep::Feed feed = step.feed(i);
      const Philox random(3, counter);
      for (size_t at = 0; at < feed.tokens.size(); ++at) {
        feed.tokens[at] = static_cast<int32_t>(random.word(at, 0) % static_cast<uint64_t>(config.vocab_size));
        feed.targets[at] = static_cast<int32_t>(random.word(at, 1) % static_cast<uint64_t>(config.vocab_size));
      }
      result.push_back(static_cast<float>(step.run(i, counter)));
    }
    result.push_back(static_cast<float>(step.gradient_norm()));
    step.update(1e-2, update);
  }
  for (const std::span<float> flat : {step.flat_parameters(), step.flat_first_moment(), step.flat_second_moment()})
    result.insert(result.end(), flat.begin(), flat.end());
  return result;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

StepPlanner planner_of(const GptConfig& config, const StepOptions& options) {
  return {gpt_loss_function(config), options, {.threads = 2}};
}

TEST(StepPlan, MemoryChangesNoBit) {
  for (const auto& [family, accumulation] : {std::pair{Family::gpt2, 2}, std::pair{Family::llama, 1}}) {
    const GptConfig config = config_of(family);
    StepPlanner planner = planner_of(config, options_of(accumulation));
    const StepPlan keep = planner.plan({Kind::keep, 0});
    const StepPlan free = planner.plan({});
    const int64_t least = planner.least_bytes();
    EXPECT_LT(least, free.planned_bytes());
    EXPECT_LT(free.planned_bytes(), keep.planned_bytes());
    const std::vector<float> expected = trained(keep, config);
    EXPECT_TRUE(same_bits(trained(free, config), expected));
    for (const int64_t budget : {least, (least + free.planned_bytes()) / 2}) {
      const StepPlan plan = planner.plan({Kind::bytes, budget});
      EXPECT_LE(plan.planned_bytes(), budget);
      EXPECT_TRUE(same_bits(trained(plan, config), expected)) << human_bytes(static_cast<uint64_t>(budget));
    }
  }
}

TEST(StepPlan, KeepReplaysNothingAndABudgetDoes) {
  StepPlanner planner = planner_of(config_of(Family::gpt2), options_of());
  const StepPlan keep = planner.plan({Kind::keep, 0});
  for (const RematReport::Activation& a : keep.gradient.remat.activations) EXPECT_EQ(a.replays, 0) << a.name;
  EXPECT_EQ(keep.overhead(), 0);
  EXPECT_FALSE(keep.budget_bytes);
  const StepPlan tight = planner.plan({Kind::bytes, planner.least_bytes()});
  EXPECT_GT(tight.overhead(), 0);
  EXPECT_LE(tight.lower_bound_seconds, tight.seconds);
  EXPECT_EQ(tight.budget_bytes, planner.least_bytes());
  EXPECT_THAT(replay_text(tight),
              AllOf(HasSubstr("activations replayed, overhead "), HasSubstr("; the least possible budget is ")));
  // The same operations, whatever is computed twice.
  EXPECT_EQ(forecast(tight).model_flops_per_step, forecast(keep).model_flops_per_step);
}

TEST(StepPlan, TooSmallABudgetNamesTheLeast) {
  StepPlanner planner = planner_of(config_of(Family::gpt2), options_of(2));
  const int64_t least = planner.least_bytes();
  EXPECT_NO_THROW(static_cast<void>(planner.plan({Kind::bytes, least})));
  const int64_t parameters = planner.plan({}).parameter_bytes();
  for (const int64_t budget : {least - 1, parameters, int64_t{1}})
    EXPECT_THAT(error_of([&] {
                  static_cast<void>(planner.plan({Kind::bytes, budget}));
                }),
                AllOf(HasSubstr("train.memory = "), HasSubstr(std::to_string(least) + " bytes"),
                      HasSubstr("moments " + human_bytes(static_cast<uint64_t>(2 * parameters))),
                      HasSubstr("train.accumulation")));
  try {
    static_cast<void>(planner.plan({Kind::bytes, 1}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::usage);
  }
}

TEST(MemoryCurve, RunsFromTheLeastToNoReplays) {
  StepPlanner planner = planner_of(config_of(Family::gpt2), options_of());
  const MemoryCurve curve = memory_curve(planner, 4);
  ASSERT_EQ(curve.points.size(), 4u);
  EXPECT_EQ(curve.points.front().budget_bytes, curve.least_budget_bytes);
  EXPECT_EQ(curve.points.back().budget_bytes, curve.keep_bytes);
  EXPECT_LE(curve.free_bytes, curve.keep_bytes);
  for (const MemoryPoint& p : curve.points) {
    EXPECT_LE(p.planned_bytes, p.budget_bytes);
    EXPECT_LT(p.arena_bytes, p.planned_bytes);
    EXPECT_LE(p.lower_bound_overhead, p.overhead + 1e-9);
    EXPECT_GT(p.seconds_per_step, 0);
  }
  EXPECT_GT(curve.points.front().overhead, curve.points.back().overhead);
}

}  // namespace
}  // namespace sesame
