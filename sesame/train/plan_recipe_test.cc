#include "sesame/train/plan_recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "sesame/base/error_of.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/step_benchmark.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

constexpr MachineSpeed kMachine{.peak_gflops = 50, .read_gbytes_s = 10};

class RecipePlannerTest : public ::testing::Test {
 protected:
  RecipePlannerTest() { setenv("SESAME_CACHE_DIR", cache_.path().c_str(), 1); }

  static Recipe recipe_of(const std::vector<std::string>& settings) {
    std::vector<std::string> all{"model.n_layer=3",    "model.n_head=2",   "model.n_embd=64", "model.vocab_size=65",
                                 "train.batch_size=8", "train.context=64", "train.threads=1", "train.accumulation=2"};
    all.insert(all.end(), settings.begin(), settings.end());
    return parse_recipe("", "test", all);
  }

  RecipePlan plan_of(const std::vector<std::string>& settings) {
    const Recipe recipe = recipe_of(settings);
    return RecipePlanner(recipe, model_config(recipe), threads_, kMachine).plan();
  }

  [[nodiscard]] bool measured() const { return std::filesystem::exists(cache_.path() / "costs.json"); }

  TemporaryDirectory cache_;
  ThreadPool threads_{1};
};

TEST_F(RecipePlannerTest, MeasuresWhereAChoiceDependsOnIt) {
  EXPECT_FALSE(plan_of({}).forecast.measured_seconds);
  EXPECT_FALSE(measured());
  EXPECT_TRUE(plan_of({"train.memory=1GiB"}).forecast.measured_seconds);
  EXPECT_TRUE(measured());
  EXPECT_TRUE(plan_of({}).forecast.measured_seconds) << "of the earlier plan";
}

TEST_F(RecipePlannerTest, SplitsAreTheDivisorsAndTheBestIsTaken) {
  const RecipePlan plan = plan_of({"train.split=auto"});
  ASSERT_EQ(plan.splits.size(), 5u);  // 1, 2, 4, 8, 16
  for (const Split& split : plan.splits) {
    EXPECT_EQ(split.batch * split.accumulation, 16);
    EXPECT_TRUE(split.fits) << split.problem;
    EXPECT_GT(split.seconds, 0);
  }
  EXPECT_LT(plan.splits.front().planned_bytes, plan.splits.back().planned_bytes);
  const Split& best = best_split(plan.splits);
  EXPECT_EQ(plan.recipe.train.batch_size, best.batch);
  EXPECT_EQ(plan.recipe.train.accumulation, best.accumulation);
  EXPECT_EQ(plan.recipe.train.split, "given");
  EXPECT_EQ(plan.step.options.batch, best.batch);
  EXPECT_EQ(plan.forecast.total_bytes(), best.planned_bytes);
  EXPECT_EQ(plan.forecast.tokens_per_step, 16 * 64);
}

TEST_F(RecipePlannerTest, ABudgetRulesSplitsOut) {
  const int64_t least_of_all = plan_of({"train.batch_size=1", "train.accumulation=16"}).forecast.total_bytes();
  const RecipePlan plan = plan_of({"train.split=auto", "train.memory=" + std::to_string(least_of_all)});
  EXPECT_TRUE(plan.splits.front().fits);
  EXPECT_FALSE(plan.splits.back().fits);
  EXPECT_THAT(plan.splits.back().problem, HasSubstr("train.memory"));
  EXPECT_LE(plan.forecast.total_bytes(), least_of_all);
  EXPECT_THAT(error_of([&] {
                plan_of({"train.split=auto", "train.memory=1MiB"});
              }),
              HasSubstr("train.memory = 1.00 MiB"));
}

TEST_F(RecipePlannerTest, ManySequencesGiveTenSplits) {
  Recipe recipe = recipe_of({"train.batch_size=720", "train.accumulation=7", "train.context=1", "train.memory=1MiB"});
  const std::vector<Split> splits = RecipePlanner(recipe, model_config(recipe), threads_, kMachine).splits();
  ASSERT_EQ(splits.size(), 10u);
  EXPECT_EQ(splits.front().batch, 1);
  EXPECT_EQ(splits.back().batch, 5040);
  for (size_t i = 1; i < splits.size(); ++i) EXPECT_LT(splits[i - 1].batch, splits[i].batch);
}

TEST(BestSplit, PrefersLargeMicroBatchesAmongEquals) {
  const auto split = [](int64_t batch, double seconds, bool fits = true) {
    return Split{.batch = batch, .accumulation = 16 / batch, .fits = fits, .seconds = seconds, .problem = "too large"};
  };
  EXPECT_EQ(best_split({split(1, 3), split(2, 2), split(4, 2.01), split(8, 2.5), split(16, 1, false)}).batch, 4);
  EXPECT_EQ(best_split({split(1, 1), split(2, 2)}).batch, 1);
  EXPECT_THAT(error_of([&] { best_split({split(1, 1, false), split(2, 1, false)}); }), HasSubstr("too large"));
}

TEST_F(RecipePlannerTest, BenchmarksRunWithinTheBudget) {
  StepBenchmarkOptions options;
  options.warm_up = 1;
  options.steps = 1;
  const Recipe all = recipe_of({"train.batch_size=32"});
  const StepBenchmark free = benchmark_step(all, options);
  EXPECT_EQ(free.arena_bytes, free.forecast.arena_bytes);
  EXPECT_FALSE(free.forecast.budget_bytes);
  const int64_t budget = free.planned_bytes - free.forecast.arena_bytes / 4;
  const StepBenchmark tight =
      benchmark_step(recipe_of({"train.batch_size=32", "train.memory=" + std::to_string(budget)}), options);
  EXPECT_EQ(tight.forecast.budget_bytes, budget);
  EXPECT_EQ(tight.arena_bytes, tight.forecast.arena_bytes);
  EXPECT_LE(tight.planned_bytes, budget);
  EXPECT_LT(tight.arena_bytes, free.arena_bytes);
  EXPECT_GT(tight.forecast.overhead, 0);
}

}  // namespace
}  // namespace sesame
