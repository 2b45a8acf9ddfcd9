#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/end_to_end/program.h"

namespace sesame::end_to_end {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// `plan` of a small model whose values take some ten pages of the arena.
class Plan : public ::testing::Test {
 protected:
  Plan() {
    setenv("SESAME_CACHE_DIR", (scratch_ / "cache").c_str(), 1);
    write(scratch_ / "small.toml",
          "[model]\nvocab_size = 65\nn_layer = 3\nn_head = 2\nn_embd = 64\n"
          "[train]\nbatch_size = 16\ncontext = 64\nsteps = 10\n");
  }

  [[nodiscard]] Outcome plan(const std::vector<std::string>& options) const {
    std::vector<std::string> arguments{"plan", (scratch_ / "small.toml").string()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run(arguments, scratch_.path());
  }

  [[nodiscard]] json plan_json(std::vector<std::string> options) const {
    options.emplace_back("--json");
    const Outcome outcome = plan(options);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return json::parse(outcome.out);
  }

  Scratch scratch_;
};

TEST_F(Plan, CurveAndSavedValuesAsJson) {
  const json keep = plan_json({"--memory", "keep"});
  const json all = plan_json({"--memory-curve", "--saved", "--svg", (scratch_ / "curve.svg").string()});
  EXPECT_EQ(all.at("planned_bytes"),
            all.at("arena_bytes").get<int64_t>() + 4 * all.at("parameter_bytes").get<int64_t>());
  const json& curve = all.at("memory_curve");
  ASSERT_EQ(curve.size(), 10u);
  EXPECT_EQ(curve.front().at("budget_bytes"), all.at("least_budget_bytes"));
  EXPECT_EQ(curve.back().at("budget_bytes"), keep.at("planned_bytes"));
  for (const json& point : curve) {
    EXPECT_LE(point.at("planned_bytes"), point.at("budget_bytes"));
    EXPECT_EQ(point.at("planned_bytes").get<int64_t>() - point.at("arena_bytes").get<int64_t>(),
              4 * all.at("parameter_bytes").get<int64_t>());
    EXPECT_GT(point.at("seconds_per_step"), 0.0);
    EXPECT_LE(point.at("lower_bound_overhead").get<double>(), point.at("overhead").get<double>() + 1e-9);
  }
  int64_t replayed = 0;
  bool layers_together = false;
  for (const json& row : all.at("saved")) {
    replayed += row.at("replays").get<int64_t>() > 0 ? row.at("count").get<int64_t>() : 0;
    layers_together = layers_together || row.at("name").get<std::string>().find("h.0-2.") != std::string::npos;
    EXPECT_GT(row.at("bytes"), 0);
    EXPECT_TRUE(row.at("kept").is_boolean());
  }
  EXPECT_GT(replayed, 0);
  EXPECT_TRUE(layers_together);
  EXPECT_TRUE(all.at("seconds_are_measured").get<bool>());
  EXPECT_THAT(read(scratch_ / "curve.svg"), StartsWith("<svg xmlns="));
  EXPECT_FALSE(keep.contains("memory_curve"));
  EXPECT_EQ(keep.at("overhead"), 0.0);
}

TEST_F(Plan, BudgetsAreKeptOrRefused) {
  const auto least = plan_json({"--memory", "1GiB"}).at("least_budget_bytes").get<int64_t>();
  const json tight = plan_json({"--memory", std::to_string(least)});
  EXPECT_LE(tight.at("planned_bytes"), least);
  EXPECT_EQ(tight.at("budget_bytes"), least);
  EXPECT_EQ(tight.at("least_budget_bytes"), least);
  EXPECT_GE(tight.at("overhead").get<double>(), tight.at("lower_bound_overhead").get<double>() - 1e-9);
  const Outcome refused = plan({"--memory", std::to_string(least - 1)});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr(std::to_string(least) + " bytes"));
  EXPECT_EQ(plan({"--memory", "lots"}).status, 2);
}

TEST_F(Plan, Splits) {
  const json answer = plan_json({"--split"});
  ASSERT_EQ(answer.at("splits").size(), 5u);
  bool chosen = false;
  for (const json& split : answer.at("splits")) {
    EXPECT_EQ(split.at("batch_size").get<int64_t>() * split.at("accumulation").get<int64_t>(), 16);
    EXPECT_TRUE(split.at("fits").get<bool>());
    chosen = chosen || split.at("batch_size") == answer.at("batch_size");
  }
  EXPECT_TRUE(chosen);
  EXPECT_EQ(answer.at("tokens_per_step"), 16 * 64);
  EXPECT_THAT(plan({"--split"}).out, HasSubstr("<- chosen"));
}

TEST_F(Plan, TrainingKeepsToABudget) {
  write(scratch_ / "text.txt", small_text());
  const auto train = [&](const std::string& memory, const std::string& out) {
    return run({"train", (scratch_ / "small.toml").string(), "--set", "data.train=" + (scratch_ / "text.txt").string(),
                "--set", "tokenizer.type=character", "--set", "train.steps=3", "--memory", memory, "--out",
                (scratch_ / out).string()},
               scratch_.path());
  };
  const auto least = plan_json({"--memory", "1GiB"}).at("least_budget_bytes").get<int64_t>();
  const Outcome trained = train(std::to_string(least), "run");
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("; the least possible budget is "));
  EXPECT_THAT(read(scratch_ / "run/recipe.toml"), HasSubstr("memory = \"" + std::to_string(least) + "\""));
  EXPECT_EQ(train("auto", "automatic").status, 0);
  EXPECT_EQ(read(scratch_ / "run/last/model.safetensors"), read(scratch_ / "automatic/last/model.safetensors"));
  const Outcome refused = train("1MB", "refused");
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("train.memory = "));
}

TEST_F(Plan, ADamagedCostFileIsReportedAndReplaced) {
  EXPECT_EQ(plan({"--saved"}).status, 0);
  write(scratch_ / "cache/costs.json", "{\"format\": 1");
  const Outcome outcome = plan({"--saved"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_THAT(outcome.err, HasSubstr("costs.json is damaged"));
  EXPECT_EQ(plan({"--saved"}).err, "");
}

}  // namespace
}  // namespace sesame::end_to_end
