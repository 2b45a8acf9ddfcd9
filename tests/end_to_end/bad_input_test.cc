#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/end_to_end/program.h"

/// Whatever a user gets wrong gives one clear line on standard error, exit status 1 or 2, and costs nothing that was on
/// disk.

namespace sesame::end_to_end {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class BadInput : public ::testing::Test {
 protected:
  void SetUp() override { write(scratch_ / "text.txt", small_text()); }

  std::string path(const std::string& name) const { return (scratch_ / name).string(); }

  std::vector<std::string> training(const std::vector<std::string>& settings, const std::string& out = "run") const {
    std::vector<std::string> arguments = small_training(scratch_ / "text.txt", scratch_ / out);
    for (const std::string& setting : settings) {
      arguments.push_back("--set");
      arguments.push_back(setting);
    }
    return arguments;
  }

  /// The last line on standard error is the complaint; lines before it may tell of progress.
  void expect_refusal(const std::vector<std::string>& arguments, int status, const std::string& what,
                      const std::string& input = "", uint64_t file_size_limit = 0) {
    const Outcome outcome = run(arguments, scratch_.path(), input, file_size_limit);
    EXPECT_EQ(outcome.status, status) << outcome.err;
    const size_t at = outcome.err.find("sesame: ");
    ASSERT_NE(at, std::string::npos) << outcome.err;
    const std::string complaint = outcome.err.substr(at);
    EXPECT_THAT(complaint, HasSubstr(what));
    EXPECT_LE(std::count(complaint.begin(), complaint.end(), '\n'), 3) << complaint;
  }

  void train_a_model() {
    const Outcome outcome = run(training({"train.steps=3"}, "model"), scratch_.path());
    ASSERT_EQ(outcome.status, 0) << outcome.err;
  }

  Scratch scratch_;
};

TEST_F(BadInput, Corpus) {
  write(scratch_ / "empty.txt", "");
  write(scratch_ / "binary.txt", std::string("\0\x01\x02\xff\xfe\0\0\0\0", 9));
  write(scratch_ / "line.txt", "one short line\n");
  expect_refusal(training({"data.train=" + path("empty.txt")}, "a"), 1, "empty.txt");
  expect_refusal(training({"data.train=" + path("binary.txt")}, "b"), 1, "binary.txt");
  expect_refusal(training({"data.train=" + path("line.txt")}, "c"), 1, "train.context = 32");
  expect_refusal(training({"data.train=" + path("missing.txt")}, "d"), 1, "missing.txt");
  expect_refusal(training({"data.train=-"}, "e"), 1, "stdin", "");
}

TEST_F(BadInput, Recipe) {
  expect_refusal(training({"train.step=3"}), 2, "unknown key train.step (did you mean \"steps\"?)");
  expect_refusal(training({"train.batch_size=-4"}), 2, "train.batch_size = -4: must be a whole number from 1 to 65536");
  expect_refusal(training({"model.n_embd=99999999999"}), 2, "model.n_embd = 99999999999: must be a whole number");
  expect_refusal({"train", path("none.toml"), "--out", path("run")}, 2, "none.toml");
  write(scratch_ / "broken.toml", "[train\nsteps = 1\n");
  expect_refusal({"train", path("broken.toml"), "--out", path("run")}, 2, "broken.toml:1");
  expect_refusal({"train", "recipes/demo.toml"}, 2, "--out DIR");
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "run"));
}

TEST_F(BadInput, CommandLine) {
  expect_refusal({"trian"}, 2, "did you mean \"train\"?");
  expect_refusal({"train", "--outt", "x"}, 2, "--outt");
  expect_refusal({"generate"}, 2, "MODEL");
  expect_refusal({"bench"}, 2, "subcommand");
  expect_refusal({"eval", path("x")}, 2, "--data");
}

TEST_F(BadInput, ModelThatDoesNotFitInMemory) {
  expect_refusal(training({"model.n_embd=32768", "model.n_layer=200", "model.n_head=32"}), 1, "lower train.batch_size");
}

TEST_F(BadInput, DirectoryThatIsNoModel) {
  std::filesystem::create_directories(scratch_ / "photos");
  write(scratch_ / "photos/cat.jpg", "meow");
  expect_refusal({"generate", path("photos"), "--prompt", "x"}, 1, "not a model directory");
  expect_refusal({"generate", path("nowhere"), "--prompt", "x"}, 1, "no such directory");
  expect_refusal({"eval", path("photos"), "--data", path("text.txt")}, 1, "not a model directory");
  expect_refusal(training({}, "photos"), 2, "holds other files and no run");
  EXPECT_EQ(read(scratch_ / "photos/cat.jpg"), "meow");
}

TEST_F(BadInput, DamagedModel) {
  train_a_model();
  const std::filesystem::path best = scratch_ / "model/best";
  const auto with_damage = [&](const char* file, auto damage) {
    const std::filesystem::path copy = scratch_ / "damaged";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(best, copy);
    std::filesystem::remove(copy / "MANIFEST");  // as in a model that others wrote
    std::string bytes = read(copy / file);
    damage(bytes);
    write(copy / file, bytes);
    return std::vector<std::string>{"generate", copy.string(), "--prompt", "the", "--max-tokens", "2"};
  };
  const auto cut = [](std::string& bytes) { bytes.resize(bytes.size() / 2); };
  const auto empty = [](std::string& bytes) { bytes.clear(); };
  for (const char* file : {"model.safetensors", "tokenizer.json", "config.json"}) {
    expect_refusal(with_damage(file, cut), 1, file);
    expect_refusal(with_damage(file, empty), 1, file);
  }
  expect_refusal(with_damage("model.safetensors", [](std::string& bytes) { bytes[7] = '\x7f'; }), 1,
                 "model.safetensors");
  expect_refusal(with_damage("config.json", [](std::string& bytes) { bytes.replace(bytes.find("gpt2"), 4, "bert"); }),
                 2, "bert");
}

TEST_F(BadInput, OneChangedBitOfOurOwnModelIsNoticed) {
  train_a_model();
  std::string bytes = read(scratch_ / "model/best/model.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write(scratch_ / "model/best/model.safetensors", bytes);
  expect_refusal({"generate", path("model/best"), "--prompt", "the"}, 1, "model.safetensors");
  expect_refusal({"generate", path("model"), "--prompt", "the"}, 1, "model.safetensors");
}

TEST_F(BadInput, CheckpointWithAFlippedBitIsNotResumed) {
  train_a_model();
  std::string bytes = read(scratch_ / "model/last/state.safetensors");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  write(scratch_ / "model/last/state.safetensors", bytes);
  std::vector<std::string> arguments = training({"train.steps=5"}, "model");
  arguments.emplace_back("--resume");
  expect_refusal(arguments, 1, "state.safetensors");
}

TEST_F(BadInput, OutputDirectoryThatHoldsARun) {
  train_a_model();
  const std::string before = read(scratch_ / "model/last/model.safetensors");
  expect_refusal(training({}, "model"), 2, "add --resume to go on with it, --overwrite to throw it away");
  EXPECT_EQ(read(scratch_ / "model/last/model.safetensors"), before);
}

TEST_F(BadInput, DiskThatIsFullWhileSaving) {
  train_a_model();
  const std::string before = read(scratch_ / "model/last/model.safetensors");
  std::vector<std::string> arguments = training({"train.steps=40"}, "model");
  arguments.emplace_back("--resume");
  expect_refusal(arguments, 1, "what was saved there before is intact", "", before.size() / 2);
  EXPECT_EQ(read(scratch_ / "model/last/model.safetensors"), before);
  EXPECT_EQ(run({"generate", path("model"), "--prompt", "the", "--max-tokens", "2"}, scratch_.path()).status, 0);
  EXPECT_EQ(run(arguments, scratch_.path()).status, 0);
}

}  // namespace
}  // namespace sesame::end_to_end
