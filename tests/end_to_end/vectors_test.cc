#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "sesame/base/test_data.h"
#include "tests/end_to_end/program.h"

namespace sesame::end_to_end {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

/// Lines of ten words, all of one topic: "a3" stands beside other words of topic "a" only.
std::string topics_text(int lines) {
  std::mt19937 random(7);
  std::string text;
  for (int i = 0; i < lines; ++i) {
    const char topic = static_cast<char>('a' + random() % 8);
    for (int w = 0; w < 10; ++w) text += std::string(1, topic) + std::to_string(random() % 12) + (w < 9 ? " " : "\n");
  }
  return text;
}

std::vector<std::string> training(const std::filesystem::path& text, const std::filesystem::path& out,
                                  std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"vectors", "train",    text.string(), "--out",  out.string(), "--dim",
                                     "16",      "--sample", "0",           "--rate", "0.05",       "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// How many of the ten nearest words of "a0" are of its topic.
int64_t of_its_topic(const std::filesystem::path& vectors, const Scratch& scratch) {
  const Outcome found =
      run({"vectors", "neighbors", vectors.string(), "a0", "--count", "10", "--json"}, scratch.path());
  EXPECT_EQ(found.status, 0) << found.err;
  const json answer = json::parse(found.out);
  int64_t same = 0;
  for (const json& neighbor : answer.at("neighbors"))
    same += neighbor.at("word").get<std::string>().front() == 'a' ? 1 : 0;
  return same;
}

TEST(Vectors, EveryModelFindsTheTopicsOfAText) {
  const Scratch scratch;
  write(scratch / "text.txt", topics_text(4000));
  const std::vector<std::vector<std::string>> models{
      {"--model", "skipgram"},
      {"--model", "skipgram", "--loss", "hs"},
      {"--model", "cbow"},
      {"--model", "cbow", "--loss", "hs"},
      {"--min-n", "2", "--max-n", "3", "--buckets", "1000", "--out-format", "safetensors"},
      {"--deterministic"},
      {"--compat"},
      {"--shared-negatives", "0"},
  };
  for (const std::vector<std::string>& model : models) {
    const Outcome trained = run(training(scratch / "text.txt", scratch / "v.bin", model), scratch.path());
    ASSERT_EQ(trained.status, 0) << trained.err;
    const json end = json::parse(trained.out);
    // word2vec.c counts line ends too, and its threads meet the end of their share a little late.
    const bool compat = model.front() == "--compat";
    EXPECT_EQ(end.at("train_words"), compat ? 44000 : 40000);
    EXPECT_NEAR(end.at("words_trained").get<double>(), compat ? 220000 : 200000, compat ? 2000 : 0);
    for (const char* key : {"words_per_s", "vocabulary", "seconds", "peak_rss_bytes"}) EXPECT_TRUE(end.contains(key));
    EXPECT_GE(of_its_topic(scratch / "v.bin", scratch), 9) << testing::PrintToString(model);
  }
}

TEST(Vectors, DeterministicRunsHaveTheSameBytesForAnyNumberOfThreads) {
  const Scratch scratch;
  write(scratch / "text.txt", topics_text(2000));
  for (const char* threads : {"1", "2", "3"}) {
    const Outcome trained = run(training(scratch / "text.txt", scratch / (std::string(threads) + ".bin"),
                                         {"--deterministic", "--threads", threads}),
                                scratch.path());
    ASSERT_EQ(trained.status, 0) << trained.err;
  }
  EXPECT_EQ(read(scratch / "1.bin"), read(scratch / "2.bin"));
  EXPECT_EQ(read(scratch / "1.bin"), read(scratch / "3.bin"));
}

TEST(Vectors, AStoppedRunLeavesVectorsAndGoesOnToTheSameBytes) {
  const Scratch scratch;
  write(scratch / "text.txt", topics_text(20000));
  const std::vector<std::string> more{"--deterministic", "--epochs", "8"};
  ASSERT_EQ(run(training(scratch / "text.txt", scratch / "whole.bin", more), scratch.path()).status, 0);

  // Too early and the signal meets a program that has not begun, too late and there is nothing left to stop.
  Outcome stopped;
  for (const int delay : {250, 120, 60, 500, 1000, 2000}) {
    Process process(training(scratch / "text.txt", scratch / "v.bin", more), scratch.path());
    std::this_thread::sleep_for(std::chrono::milliseconds(delay));
    process.signal(SIGINT);
    stopped = process.wait();
    if (stopped.status == 130) break;
  }
  ASSERT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_FALSE(json::parse(stopped.out).at("finished").get<bool>());
  EXPECT_THAT(stopped.err, HasSubstr("--resume"));
  EXPECT_EQ(run({"vectors", "neighbors", (scratch / "v.bin").string(), "a0"}, scratch.path()).status, 0);

  std::vector<std::string> other = more;
  other.insert(other.end(), {"--resume", "--window", "3"});
  const Outcome refused = run(training(scratch / "text.txt", scratch / "v.bin", other), scratch.path());
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("window=3"));

  std::vector<std::string> resumed = more;
  resumed.emplace_back("--resume");
  ASSERT_EQ(run(training(scratch / "text.txt", scratch / "v.bin", resumed), scratch.path()).status, 0);
  EXPECT_EQ(read(scratch / "v.bin"), read(scratch / "whole.bin"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "v.bin.resume"));
}

TEST(Vectors, StandardInputWithAStoredVocabulary) {
  const Scratch scratch;
  write(scratch / "text.txt", topics_text(20000));
  const std::filesystem::path words = scratch / "words.txt";
  ASSERT_EQ(
      run(training(scratch / "text.txt", scratch / "v.bin", {"--epochs", "1", "--save-vocabulary", words.string()}),
          scratch.path())
          .status,
      0);
  EXPECT_THAT(run(training("-", scratch / "s.bin"), scratch.path(), topics_text(20000)).err, HasSubstr("--vocabulary"));
  const Outcome trained =
      run(training("-", scratch / "s.bin", {"--vocabulary", words.string()}), scratch.path(), topics_text(20000));
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(json::parse(trained.out).at("words_trained"), 200000);
  EXPECT_GE(of_its_topic(scratch / "s.bin", scratch), 9);
}

TEST(Vectors, ChineseByCharacters) {
  const auto poems = shared_data("chinese/tang300.json");
  if (!poems) GTEST_SKIP() << "needs shared data";
  const Scratch scratch;
  const Outcome trained =
      run(training(*poems, scratch / "v.txt", {"--unit", "character", "--format", "txt"}), scratch.path());
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(run({"vectors", "neighbors", (scratch / "v.txt").string(), "山"}, scratch.path()).status, 0);
}

TEST(Vectors, WrongUseIsSaidKindly) {
  const Scratch scratch;
  write(scratch / "text.txt", topics_text(100));
  const auto error_of = [&](std::vector<std::string> more) {
    const Outcome outcome = run(training(scratch / "text.txt", scratch / "v.bin", std::move(more)), scratch.path());
    EXPECT_NE(outcome.status, 0);
    EXPECT_FALSE(std::filesystem::exists(scratch / "v.bin"));
    return outcome.err;
  };
  EXPECT_THAT(error_of({"--model", "glove"}), HasSubstr("skipgram, cbow"));
  EXPECT_THAT(error_of({"--window", "0"}), HasSubstr("--window: 0"));
  EXPECT_THAT(error_of({"--min-count", "100000"}), HasSubstr("100000"));
  EXPECT_THAT(error_of({"--resume"}), HasSubstr("v.bin.resume"));
  EXPECT_THAT(error_of({"--loss", "hs", "--save-output", (scratch / "o.bin").string()}), HasSubstr("--save-output"));
}

}  // namespace
}  // namespace sesame::end_to_end
