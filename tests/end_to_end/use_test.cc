#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sesame/base/test_data.h"
#include "tests/end_to_end/program.h"

namespace sesame::end_to_end {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<json> lines_of(const std::string& text) {
  std::vector<json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
  return lines;
}

TEST(Use, TrainEvaluateGenerate) {
  const Scratch scratch;
  write(scratch / "text.txt", small_text());
  std::vector<std::string> arguments = small_training(scratch / "text.txt", scratch / "run");
  arguments.emplace_back("--json");
  const Outcome trained = run(arguments, scratch.path());
  ASSERT_EQ(trained.status, 0) << trained.err;
  const std::vector<json> events = lines_of(trained.out);
  ASSERT_EQ(events.size(), 6u);  // steps 0, 50, 100, 150, 200, and the end
  EXPECT_EQ(events[0].at("event"), "eval");
  EXPECT_EQ(events[4].at("step"), 200);
  EXPECT_EQ(events[4].at("tokens"), 200 * 8 * 32);
  EXPECT_EQ(events[5].at("event"), "end");
  for (const char* key : {"train_loss", "val_loss", "lr", "tokens_per_s", "elapsed_s"})
    EXPECT_TRUE(events[5].contains(key)) << key;
  EXPECT_LT(events[4].at("val_loss").get<double>(), 0.7 * events[0].at("val_loss").get<double>());
  for (const char* word : {"parameters", "FLOP a token", "memory:", "time:"}) EXPECT_THAT(trained.err, HasSubstr(word));

  const Outcome evaluated =
      run({"eval", (scratch / "run").string(), "--data", (scratch / "text.txt").string(), "--json"}, scratch.path());
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const json score = json::parse(evaluated.out);
  EXPECT_NEAR(score.at("perplexity").get<double>(), std::exp(score.at("loss").get<double>()), 1e-6);
  EXPECT_NEAR(score.at("bits_per_byte").get<double>(),
              score.at("loss").get<double>() * score.at("tokens").get<double>() / std::log(2.0) /
                  static_cast<double>(small_text().size()),
              1e-6);
  EXPECT_NEAR(score.at("loss").get<double>(), events[4].at("val_loss").get<double>(), 0.3);

  const std::vector<std::string> generate{"generate", (scratch / "run").string(), "--prompt", "the cat", "--max-tokens",
                                          "20"};
  const Outcome first = run(generate, scratch.path());
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, StartsWith("the cat"));
  EXPECT_EQ(run(generate, scratch.path()).out, first.out);
  std::vector<std::string> samples = generate;
  samples.insert(samples.end(), {"--samples", "3", "--json"});
  const std::vector<json> texts = lines_of(run(samples, scratch.path()).out);
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ("the cat" + texts[0].at("text").get<std::string>() + "\n", first.out);
  EXPECT_NE(texts[0].at("text"), texts[1].at("text"));
}

TEST(Use, StandardInputAsTrainingText) {
  const Scratch scratch;
  write(scratch / "text.txt", small_text());
  std::vector<std::string> arguments = small_training("-", scratch / "run");
  arguments.insert(arguments.end(), {"--set", "train.steps=5"});
  EXPECT_EQ(run(arguments, scratch.path(), small_text()).status, 0);
  std::vector<std::string> from_file = small_training(scratch / "text.txt", scratch / "file");
  from_file.insert(from_file.end(), {"--set", "train.steps=5"});
  EXPECT_EQ(run(from_file, scratch.path()).status, 0);
  EXPECT_EQ(read(scratch / "run/last/model.safetensors"), read(scratch / "file/last/model.safetensors"));
}

TEST(Use, TokenizerThereAndBack) {
  const Scratch scratch;
  write(scratch / "text.txt", small_text());
  const std::string tokenizer = (scratch / "tokenizer.json").string();
  const Outcome trained = run({"tokenizer", "train", (scratch / "text.txt").string(), "--vocab-size", "280",
                               "--pattern", "gpt2", "--out", tokenizer},
                              scratch.path());
  ASSERT_EQ(trained.status, 0) << trained.err;
  const std::string text = "the cat \xff\xfe naïve 猫\n\n  dog";
  const Outcome ids = run({"tokenizer", "encode", tokenizer}, scratch.path(), text);
  ASSERT_EQ(ids.status, 0) << ids.err;
  EXPECT_EQ(run({"tokenizer", "decode", tokenizer}, scratch.path(), ids.out).out, text);
  const json encoded = json::parse(run({"tokenizer", "encode", tokenizer, "--json"}, scratch.path(), "the cat").out);
  EXPECT_EQ(encoded.at("count").get<size_t>(), encoded.at("ids").size());
  const Outcome bad = run({"tokenizer", "decode", tokenizer}, scratch.path(), "12 x7");
  EXPECT_EQ(bad.status, 1);
  EXPECT_THAT(bad.err, HasSubstr("\"x7\" at byte 3 is no token id"));
  EXPECT_EQ(run({"tokenizer", "decode", tokenizer}, scratch.path(), "999999").status, 1);
  const json info = json::parse(run({"tokenizer", "info", tokenizer, "--json"}, scratch.path()).out);
  EXPECT_EQ(info.at("vocab_size"), 280);
}

TEST(Use, PlanSaysWhatBenchMeasures) {
  const Scratch scratch;
  const std::vector<std::string> small{"--set", "model.n_layer=2", "--set", "train.batch_size=4"};
  std::vector<std::string> plan{"plan", "recipes/shakespeare-char.toml", "--json"};
  std::vector<std::string> bench{"bench", "step",     "recipes/shakespeare-char.toml", "--json", "--steps",
                                 "2",     "--profile"};
  plan.insert(plan.end(), small.begin(), small.end());
  bench.insert(bench.end(), small.begin(), small.end());
  const Outcome planned = run(plan, scratch.path());
  const Outcome measured = run(bench, scratch.path());
  ASSERT_EQ(planned.status, 0) << planned.err;
  ASSERT_EQ(measured.status, 0) << measured.err;
  const json p = json::parse(planned.out);
  const json m = json::parse(measured.out);
  EXPECT_EQ(p.at("planned_bytes"), m.at("planned_bytes"));
  EXPECT_EQ(p.at("flops_per_step"), m.at("flops_per_step"));
  EXPECT_GT(m.at("tokens_per_s").get<double>(), 0);
  EXPECT_GT(m.at("share_of_peak").get<double>(), 0);
  EXPECT_FALSE(m.at("ops").empty());
  EXPECT_FALSE(p.at("layers").empty());
}

TEST(Use, EveryRecipeIsValid) {
  const Scratch scratch;
  for (const auto& entry : std::filesystem::directory_iterator("recipes")) {
    const Outcome outcome = run({"plan", entry.path().string(), "--json"}, scratch.path());
    EXPECT_EQ(outcome.status, 0) << entry.path() << outcome.err;
  }
}

TEST(Use, ConvertedModelTellsItsStory) {
  const auto data = shared_data("models/stories260K");
  if (!data) GTEST_SKIP() << "shared data is absent";
  const Scratch scratch;
  const std::string out = (scratch / "stories").string();
  const Outcome converted = run(
      {"convert", (*data / "stories260K.bin").string(), "--tokenizer", (*data / "tok512.bin").string(), "--out", out},
      scratch.path());
  ASSERT_EQ(converted.status, 0) << converted.err;
  const Outcome story = run(
      {"generate", out, "--prompt", "Once upon a time", "--temperature", "0", "--max-tokens", "40"}, scratch.path());
  EXPECT_THAT(story.out, StartsWith("Once upon a time, there was a little girl named Lily."));
  EXPECT_EQ(run({"convert", (*data / "stories260K.bin").string(), "--tokenizer", (*data / "tok512.bin").string(),
                 "--out", out},
                scratch.path())
                .status,
            2);
}

}  // namespace
}  // namespace sesame::end_to_end
