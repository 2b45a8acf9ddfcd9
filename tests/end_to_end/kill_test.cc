#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "sesame/train/model_directory.h"
#include "sesame/train/run_directory.h"
#include "tests/end_to_end/program.h"

namespace sesame::end_to_end {
namespace {

using std::chrono::milliseconds;

std::string last_weights(const std::filesystem::path& run) { return read(run / "last" / "model.safetensors"); }

std::vector<std::string> resumed(std::vector<std::string> arguments) {
  arguments.emplace_back("--resume");
  return arguments;
}

/// A whole training run, and how long it took.
class Killed : public ::testing::Test {
 protected:
  void SetUp() override {
    write(scratch_ / "text.txt", small_text());
    const auto start = std::chrono::steady_clock::now();
    const Outcome whole = run(small_training(scratch_ / "text.txt", scratch_ / "whole"), scratch_.path());
    ASSERT_EQ(whole.status, 0) << whole.err;
    duration_ = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start);
  }

  Scratch scratch_;
  milliseconds duration_{};
};

TEST_F(Killed, AtAnyMomentARunGoesOnToTheSameBits) {
  std::mt19937 random(20);
  std::uniform_int_distribution<int64_t> moment(0, duration_.count());
  int with_model = 0;
  for (int i = 0; i < 20; ++i) {
    const std::filesystem::path out = scratch_ / ("run" + std::to_string(i));
    const std::vector<std::string> arguments = small_training(scratch_ / "text.txt", out);
    Process process(arguments, scratch_.path());
    const milliseconds when(moment(random));
    std::this_thread::sleep_for(when);
    process.signal(SIGKILL);
    process.wait();
    if (std::filesystem::exists(out / "last")) {
      ++with_model;
      EXPECT_NO_THROW(load_model(find_model(out))) << "killed after " << when.count() << " ms";
    }
    const Outcome rest = run(resumed(arguments), scratch_.path());
    EXPECT_EQ(rest.status, 0) << "killed after " << when.count() << " ms: " << rest.err;
    EXPECT_EQ(last_weights(out), last_weights(scratch_ / "whole")) << "killed after " << when.count() << " ms";
    EXPECT_EQ(read(out / "best/model.safetensors"), read(scratch_ / "whole" / "best/model.safetensors"));
  }
  EXPECT_GT(with_model, 5);
}

TEST_F(Killed, InterruptSavesAndSaysHowToGoOn) {
  const std::filesystem::path out = scratch_ / "run";
  const std::vector<std::string> arguments = small_training(scratch_ / "text.txt", out);
  Process process(arguments, scratch_.path());
  while (process.running() && !std::filesystem::exists(out / "last")) std::this_thread::sleep_for(milliseconds(1));
  std::this_thread::sleep_for(duration_ / 10);
  process.signal(SIGINT);
  const Outcome stopped = process.wait();
  ASSERT_EQ(stopped.status, 130) << stopped.err;
  EXPECT_NE(stopped.err.find("go on with the same command and --resume"), std::string::npos) << stopped.err;
  EXPECT_NE(last_weights(out), last_weights(scratch_ / "whole"));
  EXPECT_EQ(run(resumed(arguments), scratch_.path()).status, 0);
  EXPECT_EQ(last_weights(out), last_weights(scratch_ / "whole"));
}

TEST_F(Killed, ThreadsDoNotChangeABit) {
  for (const char* threads : {"1", "2"}) {
    std::vector<std::string> arguments = small_training(scratch_ / "text.txt", scratch_ / threads);
    arguments.insert(arguments.end(), {"--set", std::string("train.threads=") + threads, "--set", "train.steps=50"});
    ASSERT_EQ(run(arguments, scratch_.path()).status, 0);
  }
  EXPECT_EQ(last_weights(scratch_ / "1"), last_weights(scratch_ / "2"));
}

}  // namespace
}  // namespace sesame::end_to_end
