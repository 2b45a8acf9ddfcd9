#include <gtest/gtest.h>

#include <cstring>

#include "sesame/base/philox.h"
#include "sesame/base/thread_pool.h"
#include "sesame/runtime/compile.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/step.h"

namespace sesame {
namespace {

GptConfig tiny_config(Family family) {
  GptConfig config;
  config.family = family;
  config.vocab_size = 37;
  config.context = 32;
  config.width = 32;
  config.layers = 4;
  config.heads = 4;
  config.dropout = 0.1;
  return resolved(config, "test");
}

StepOptions tiny_options() {
  StepOptions options;
  options.batch = 8;
  options.context = 32;
  options.accumulation = 2;
  options.seed = 7;
  return options;
}

/// Budgets for the gradient graphs of one model.
class Budgets {
 public:
  Budgets(const GptConfig& config, const StepOptions& options, int threads)
      : config_(config),
        options_(options),
        threads_(threads),
        graphs_(build_step_graphs(gpt_loss_function(config), options)) {}

  [[nodiscard]] int64_t least() const {
    return std::max(least_arena_bytes(graphs_.gradient, {.threads = threads_}),
                    least_arena_bytes(*graphs_.accumulate, {.threads = threads_}));
  }

  [[nodiscard]] CompiledGraph gradient(const RematOptions& remat) const {
    return compile(graphs_.gradient, {.threads = threads_, .remat = remat});
  }

  [[nodiscard]] StepPlan plan(const RematOptions& remat) const {
    StepPlanner planner(gpt_loss_function(config_), options_, {.threads = threads_});
    StepPlan plan = planner.plan(parse_memory("keep", "test"));
    plan.gradient = gradient(remat);
    plan.accumulate = compile(*graphs_.accumulate, {.threads = threads_, .remat = remat});
    return plan;
  }

 private:
  GptConfig config_;
  StepOptions options_;
  int threads_;
  StepGraphs graphs_;
};

/// A step with initial weights and random data.
class Training {
 public:
  Training(StepPlan plan, int threads) : options_(plan.options), pool_(threads), step_(std::move(plan), pool_) {
    for (const Parameter& p : step_.layout().order) {
      const Tensor t = step_.variables().get(p.name);
      initialise(p, options_.seed, {t.as<float>(), static_cast<size_t>(t.elements())});
    }
  }

  void micro_batches() {
    for (int64_t i = 0; i < options_.accumulation; ++i) {
      const TrainingStep::Feed feed = step_.feed(i);
      const Philox random(3, 0);
      for (size_t t = 0; t < feed.tokens.size(); ++t) {
        feed.tokens[t] = static_cast<int32_t>(random.word(counter_ * feed.tokens.size() + t, 0) % 37);
        feed.targets[t] = (feed.tokens[t] * 5 + 1) % 37;
      }
      losses.push_back(step_.run(i, counter_++));
    }
  }

  void whole_step() {
    micro_batches();
    losses.push_back(step_.gradient_norm());
    step_.update(3e-3, ++steps_);
  }

  [[nodiscard]] std::vector<float> flat(const char* name) {
    const Tensor t = step_.variables().get(name);
    return {t.as<float>(), t.as<float>() + t.elements()};
  }

  std::vector<double> losses;

 private:
  StepOptions options_;
  ThreadPool pool_;
  TrainingStep step_;
  uint64_t counter_ = 0;
  int64_t steps_ = 0;
};

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

int replays_in(const Graph& graph) {
  int replays = 0;
  for (NodeId id = 0; id < graph.size(); ++id) replays += graph.node(id).replay > 0 ? 1 : 0;
  return replays;
}

class RematGptTest : public testing::TestWithParam<Family> {};

TEST_P(RematGptTest, GradientsHaveTheSameBitsAtEveryBudget) {
  const GptConfig config = tiny_config(GetParam());
  std::vector<float> expected;
  std::vector<double> losses;
  for (const int threads : {1, 2}) {
    const Budgets budgets(config, tiny_options(), threads);
    const CompiledGraph without = budgets.gradient({.free_replays = false});
    if (expected.empty()) {
      Training run(budgets.plan({.free_replays = false}), threads);
      run.micro_batches();
      expected = run.flat("gradients");
      losses = run.losses;
    }
    const int64_t least = budgets.least();
    const int64_t most = without.plan.arena_bytes;
    ASSERT_LT(least, most * 3 / 4);
    for (int i = 0; i < 10; ++i) {
      const int64_t budget = least + (most - least) * i / 9;
      StepPlan plan = budgets.plan({.budget_bytes = budget});
      EXPECT_LE(plan.gradient.plan.arena_bytes, budget);
      EXPECT_LE(plan.accumulate->plan.arena_bytes, budget);
      EXPECT_GT(replays_in(plan.gradient.graph), 0);
      Training run(std::move(plan), threads);
      run.micro_batches();
      EXPECT_TRUE(same_bits(run.flat("gradients"), expected)) << budget << " bytes, " << threads << " threads";
      EXPECT_TRUE(same_bits(run.losses, losses)) << budget << " bytes, " << threads << " threads";
    }
  }
}

TEST_P(RematGptTest, TwentyStepsLeaveTheSameState) {
  const Budgets budgets(tiny_config(GetParam()), tiny_options(), 2);
  Training without(budgets.plan({.free_replays = false}), 2);
  Training within(budgets.plan({.budget_bytes = budgets.least()}), 2);
  for (int i = 0; i < 20; ++i) {
    without.whole_step();
    within.whole_step();
  }
  EXPECT_TRUE(same_bits(within.losses, without.losses));
  EXPECT_LT(within.losses.end()[-2], within.losses.front());
  for (const char* name : {"parameters", "adam.first_moment", "adam.second_moment"}) {
    EXPECT_TRUE(same_bits(within.flat(name), without.flat(name))) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, RematGptTest, testing::Values(Family::gpt2, Family::llama),
                         [](const auto& family) { return std::string(name_of(family.param)); });

TEST(RematGpt2Test, OfABlockTenOfSixteenWidthsAreKept) {
  GptConfig config;  // 12 layers of 768
  config.dropout = 0.1;
  StepOptions options;
  options.batch = 4;
  options.context = 256;
  const Graph graph = build_step_graphs(gpt_loss_function(resolved(config, "test")), options).gradient;
  const CompiledGraph free = compile(graph, {.threads = 2});
  const int64_t width = options.batch * options.context * config.width * 4;
  int64_t kept = 0;
  for (const auto& activation : free.remat.activations) {
    if (activation.kept && activation.bytes >= width) kept += activation.bytes;
  }
  EXPECT_EQ(kept, (10 * config.layers + 1) * width);  // and the input of the last norm
  EXPECT_LE(static_cast<double>(free.remat.bytes), 0.65 * static_cast<double>(free.remat.bytes_without));
  EXPECT_LT(free.remat.overhead(), 0.01);
}

TEST(RematGpt2Test, OverheadWithinBudgetsIsNearTheLeastPossible) {
  GptConfig config;
  config.dropout = 0.1;
  StepOptions options;
  options.batch = 4;
  options.context = 256;
  const Graph graph = build_step_graphs(gpt_loss_function(resolved(config, "test")), options).gradient;
  const RematReport without = compile(graph, {.threads = 2, .remat = {.free_replays = false}}).remat;
  const int64_t rest = without.bytes_without - without.activation_bytes;
  for (const auto& [percent, most] : {std::pair{50, 0.05}, {25, 0.15}, {12, 0.2}}) {
    const int64_t budget = rest + without.activation_bytes * percent / 100;
    const RematReport report = compile(graph, {.threads = 2, .remat = {.budget_bytes = budget}}).remat;
    EXPECT_LE(report.bytes, budget);
    EXPECT_LE(report.overhead(), most) << percent << " %";
    EXPECT_LE(report.seconds, 1.02 * report.lower_bound_seconds) << percent << " %";
  }
}

}  // namespace
}  // namespace sesame
