#include "sesame/train/step_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/nn/parameters.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/trace.h"

namespace sesame {
namespace {

using nlohmann::json;
using testing::DoubleNear;
using testing::ElementsAre;

CallProfile call(std::string op, std::string scope, Phase phase, double seconds, int64_t runs = 1) {
  return {.op = std::move(op),
          .scope = std::move(scope),
          .shapes = "[2] -> [2]",
          .phase = phase,
          .runs = runs,
          .seconds = seconds,
          .flops = 4e6,
          .bytes = 1000};
}

/// Two blocks forward and backward, a loss, an update of a second program; the first program runs three times.
StepProfile small_profile() {
  StepProfile profile;
  profile.roofline = {.peak_gflops = 4, .memory_gbytes_s = 1e-3, .cache_gbytes_s = 1e-2, .cache_bytes = 1000};
  profile.calls = {call("embedding", "model.wte", Phase::forward, 0.001, 3),
                   call("matmul", "model.h.0.attn.proj", Phase::forward, 0.002, 3),
                   call("matmul", "model.h.10.attn.proj", Phase::forward, 0.003, 3),
                   call("loss", "", Phase::forward, 0.004, 3),
                   call("matmul", "model.h.10.attn.proj", Phase::replay, 0.005, 3),
                   call("matmul", "model.h.10.attn.proj", Phase::backward, 0.006, 3),
                   call("matmul", "model.h.0", Phase::backward, 0.007, 3),
                   call("adamw", "", Phase::update, 0.008)};
  profile.calls.back().program = 1;
  return profile;
}

double sum_of_seconds(const std::vector<ProfileRow>& rows) {
  double sum = 0;
  for (const ProfileRow& row : rows) sum += row.seconds;
  return sum;
}

std::vector<std::string> lines(const std::vector<ProfileRow>& rows) {
  std::vector<std::string> texts;
  for (const ProfileRow& row : rows)
    texts.push_back(row.name + " " + std::string(name_of(row.phase)) + " " + std::to_string(row.layers) + " " +
                    std::to_string(row.calls));
  return texts;
}

TEST(Roofline, IsTheLongerOfArithmeticAndMemory) {
  const Roofline roofline{.peak_gflops = 100, .memory_gbytes_s = 10, .cache_gbytes_s = 50, .cache_bytes = 1000};
  EXPECT_DOUBLE_EQ(roofline.seconds(1e9, 0), 0.01);
  EXPECT_DOUBLE_EQ(roofline.seconds(0, 1e9), 0.1);
  EXPECT_DOUBLE_EQ(roofline.seconds(2e10, 1e9), 0.2);
  EXPECT_DOUBLE_EQ(roofline.seconds(0, 1000), 1000 / 50e9);
  EXPECT_DOUBLE_EQ(roofline.seconds(0, 1001), 1001 / 10e9);
}

TEST(StepProfile, LayersAreNamedByBlock) {
  const StepProfile profile = small_profile();
  EXPECT_THAT(lines(profile_by_layer(profile, false)),
              ElementsAre("model.wte forward 1 3", "model.h.0.attn forward 1 3", "model.h.10.attn forward 1 3",
                          "(outside) forward 1 3", "model.h.10.attn replay 1 3", "model.h.10.attn backward 1 3",
                          "model.h.0 backward 1 3", "(outside) update 1 1"));
  EXPECT_THAT(lines(profile_by_layer(profile, true)),
              ElementsAre("model.wte forward 1 3", "model.h.*.attn forward 2 6", "(outside) forward 1 3",
                          "model.h.*.attn replay 1 3", "model.h.*.attn backward 1 3", "model.h.* backward 1 3",
                          "(outside) update 1 1"));
}

TEST(StepProfile, RowsSumToTheCalls) {
  const StepProfile profile = small_profile();
  const double whole = 3 * 0.028 + 0.008;
  EXPECT_THAT(profile.seconds(), DoubleNear(whole, 1e-12));
  const std::vector<ProfileRow> ops = profile_by_op(profile);
  EXPECT_THAT(sum_of_seconds(ops), DoubleNear(whole, 1e-12));
  EXPECT_THAT(sum_of_seconds(profile_by_layer(profile, true)), DoubleNear(whole, 1e-12));
  EXPECT_THAT(sum_of_seconds(profile_by_layer(profile, false)), DoubleNear(whole, 1e-12));
  ASSERT_EQ(ops.size(), 4u);
  EXPECT_EQ(ops[0].name, "matmul");
  EXPECT_EQ(ops[0].calls, 15);
  EXPECT_DOUBLE_EQ(ops[0].flops, 15 * 4e6);
  EXPECT_DOUBLE_EQ(ops[0].bytes, 15 * 1000);
  EXPECT_THAT(ops[0].least_seconds, DoubleNear(15 * 1e-3, 1e-12));
  EXPECT_THAT(ops[0].share_of_roofline(), DoubleNear(0.015 / 0.069, 1e-12));
  EXPECT_EQ(ops[1].name, "loss");
}

TEST(Trace, IsCompleteAndEndToEnd) {
  const StepProfile profile = small_profile();
  const json trace = json::parse(to_trace(profile));
  EXPECT_EQ(trace.at("otherData").at("fma_peak_gflops"), 4);
  const json& events = trace.at("traceEvents");
  ASSERT_EQ(events.size(), 2u + 3 * 7 + 1);
  EXPECT_EQ(events[0].at("ph"), "M");
  EXPECT_EQ(events[1].at("ph"), "M");
  double end = 0;
  for (size_t i = 2; i < events.size(); ++i) {
    const json& event = events[i];
    EXPECT_EQ(event.at("ph"), "X");
    EXPECT_EQ(event.at("pid"), events[0].at("pid"));
    EXPECT_EQ(event.at("tid"), events[1].at("tid"));
    EXPECT_THAT(event.at("ts").get<double>(), DoubleNear(end, 1e-6));
    end = event.at("ts").get<double>() + event.at("dur").get<double>();
    EXPECT_EQ(event.at("name"), profile.calls[i + 1 < events.size() ? (i - 2) % 7 : 7].op);
  }
  EXPECT_THAT(end, DoubleNear(1e6 * profile.seconds(), 1e-6));
  EXPECT_EQ(events[3].dump(),
            R"({"args":{"bytes":1000.0,"flops":4000000.0,"gbytes_per_s":0.0005,"gflops_per_s":2.0,"op":"matmul",)"
            R"("phase":"forward","scope":"model.h.0.attn.proj","shapes":"[2] -> [2]","share_of_roofline":0.5},)"
            R"("cat":"forward","dur":2000.0,"name":"matmul","ph":"X","pid":1,"tid":1,"ts":1000.0})");
}

TEST(Trace, FailsAsAWhole) {
  const TemporaryDirectory directory;
  EXPECT_THROW(write_trace(directory.path() / "no" / "trace.json", small_profile()), Error);
  write_trace(directory.path() / "trace.json", small_profile());
  EXPECT_EQ(read_file(directory.path() / "trace.json"), to_trace(small_profile()));
}

GptConfig tiny_model() {
  GptConfig config;
  config.vocab_size = 37;
  config.context = 16;
  config.width = 32;
  config.layers = 2;
  config.heads = 4;
  config.dropout = 0.1;
  return resolved(config, "test");
}

TEST(StepProfile, TellsThePhasesOfARealStep) {
  StepOptions options;
  options.batch = 2;
  options.context = 16;
  options.accumulation = 3;
  ThreadPool threads(2);
  TrainingStep step(gpt_loss_function(tiny_model()), options, threads);
  for (const Parameter& p : step.layout().order) {
    const Tensor tensor = step.variables().get(p.name);
    initialise(p, 1, {tensor.as<float>(), static_cast<size_t>(tensor.elements())}, &threads);
  }
  int64_t fed = 0;
  const StepProfile profile = profile_step(step, options, threads, 3, [&](const TrainingStep::Feed& feed) {
    std::fill(feed.tokens.begin(), feed.tokens.end(), 5);
    std::fill(feed.targets.begin(), feed.targets.end(), 7);
    ++fed;
  });
  EXPECT_EQ(fed, 2 * 3);  // the two programs that read data, in each of three repeats
  EXPECT_GT(profile.roofline.peak_gflops, 0);
  EXPECT_GE(profile.roofline.cache_gbytes_s, profile.roofline.memory_gbytes_s);
  std::map<Phase, std::set<std::string>> ops;
  for (const CallProfile& each : profile.calls) {
    EXPECT_GT(each.seconds, 0) << each.op;
    ops[each.phase].insert(each.op);
  }
  EXPECT_TRUE(ops[Phase::forward].contains("attention"));
  EXPECT_FALSE(ops[Phase::forward].contains("attention_grad"));
  EXPECT_TRUE(ops[Phase::backward].contains("attention_grad"));
  EXPECT_FALSE(ops[Phase::backward].contains("attention"));
  EXPECT_FALSE(ops[Phase::replay].empty());  // norms and activations are cheaper to compute again than to keep
  EXPECT_THAT(ops[Phase::update], ElementsAre("adamw", "sum_squares"));
  const std::vector<ProfileRow> layers = profile_by_layer(profile, true);
  const auto attention = std::find_if(layers.begin(), layers.end(), [](const ProfileRow& row) {
    return row.name == "transformer.h.*.attn" && row.phase == Phase::forward;
  });
  ASSERT_NE(attention, layers.end());
  EXPECT_EQ(attention->layers, 2);
  EXPECT_EQ(attention->calls % (2 * 3), 0);
  for (const float value : step.flat_parameters()) ASSERT_TRUE(std::isfinite(value));
}

}  // namespace
}  // namespace sesame
