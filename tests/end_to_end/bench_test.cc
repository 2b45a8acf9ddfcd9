#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/end_to_end/program.h"

namespace sesame::end_to_end {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

const char* const kTiny =
    "[data]\ntrain = \"none.txt\"\n[tokenizer]\ntype = \"character\"\n"
    "[model]\nvocab_size = 65\nn_layer = 2\nn_head = 2\nn_embd = 32\n"
    "[train]\nbatch_size = 2\ncontext = 16\naccumulation = 2\n";

Outcome bench(const Scratch& scratch, const std::vector<std::string>& options) {
  write(scratch / "tiny.toml", kTiny);
  std::vector<std::string> arguments{"bench", "step", (scratch / "tiny.toml").string(), "--steps", "3"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return run(arguments, scratch.path());
}

TEST(BenchStep, ProfileAndTraceTellTheSame) {
  const Scratch scratch;
  const std::string trace_path = (scratch / "trace.json").string();
  const Outcome outcome = bench(scratch, {"--profile", "--calls", "--json", "--trace", trace_path});
  ASSERT_EQ(outcome.status, 0) << outcome.err;
  const json result = json::parse(outcome.out);
  const double whole = result.at("profile_seconds");
  EXPECT_GT(whole, 0);
  for (const char* part : {"ops", "layers"}) {
    double sum = 0;
    for (const json& row : result.at(part)) sum += row.at("seconds").get<double>();
    EXPECT_NEAR(sum, whole, 1e-9 * whole) << part;
  }
  std::set<std::string> layers;
  for (const json& row : result.at("layers"))
    layers.insert(row.at("layer").get<std::string>() + " " + row.at("phase").get<std::string>());
  for (const char* layer : {"transformer.wte forward", "transformer.h.0.attn forward", "transformer.h.1.mlp backward"})
    EXPECT_TRUE(layers.contains(layer)) << layer;
  int64_t runs = 0;
  for (const json& call : result.at("calls")) runs += call.at("runs").get<int64_t>();
  const json trace = json::parse(read(trace_path));
  int64_t events = 0;
  double traced_us = 0;
  for (const json& event : trace.at("traceEvents")) {
    if (event.at("ph") != "X") continue;
    ++events;
    traced_us += event.at("dur").get<double>();
    EXPECT_EQ(event.at("name"), event.at("args").at("op"));
  }
  EXPECT_EQ(events, runs);
  EXPECT_NEAR(traced_us, 1e6 * whole, 1e-3 * traced_us);
}

TEST(BenchStep, TablesSpeakOfBlocksTogetherOrEach) {
  const Scratch scratch;
  const Outcome plain = bench(scratch, {});
  EXPECT_EQ(plain.status, 0) << plain.err;
  EXPECT_THAT(plain.out, HasSubstr("tokens/s"));
  EXPECT_THAT(plain.out, Not(HasSubstr("matmul")));
  const Outcome merged = bench(scratch, {"--profile"});
  EXPECT_THAT(merged.out, HasSubstr("transformer.h.*.attn"));
  EXPECT_THAT(merged.out, HasSubstr("backward"));
  EXPECT_THAT(merged.out, Not(HasSubstr("transformer.h.1.attn")));
  EXPECT_THAT(bench(scratch, {"--layers"}).out, HasSubstr("transformer.h.1.attn"));
}

TEST(BenchStep, SaysThatTheTraceCannotBeWritten) {
  const Scratch scratch;
  const Outcome outcome = bench(scratch, {"--trace", (scratch / "no" / "trace.json").string()});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("trace.json"));
}

}  // namespace
}  // namespace sesame::end_to_end
