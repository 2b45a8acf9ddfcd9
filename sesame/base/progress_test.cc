#include "sesame/base/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace sesame {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A stream whose content can be read back.
class ProgressTest : public testing::Test {
 protected:
  std::string text() {
    std::string content(static_cast<size_t>(std::ftell(stream_.get())), '\0');
    std::rewind(stream_.get());
    content.resize(std::fread(content.data(), 1, content.size(), stream_.get()));
    return content;
  }

  std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream_{std::tmpfile(), std::fclose};
};

constexpr std::chrono::milliseconds kAlways{0};
constexpr std::chrono::milliseconds kNeverAgain{3600 * 1000};

TEST_F(ProgressTest, PlainLinesInALog) {
  Progress progress("train", 200, stream_.get(), {.terminal = false, .interval = kAlways});
  progress.update(100, "loss 2.31");
  progress.update(200, "loss 2.20");
  progress.finish();
  EXPECT_EQ(text(), "train  50%  100/200  loss 2.31\ntrain  100%  200/200  loss 2.20\n");
}

TEST_F(ProgressTest, DrawsRarelyAndAlwaysAtTheEnd) {
  Progress progress("train", 200, stream_.get(), {.terminal = false, .interval = kNeverAgain});
  EXPECT_TRUE(progress.due());
  for (uint64_t step = 1; step <= 200; ++step) progress.update(step, "x");
  EXPECT_FALSE(progress.due());
  EXPECT_EQ(text(), "train  0%  1/200  x\ntrain  100%  200/200  x\n");
}

TEST_F(ProgressTest, RedrawsOneLineOnATerminal) {
  Progress progress("train", 4, stream_.get(), {.terminal = true, .interval = kAlways});
  progress.update(1, "a");
  progress.line("note");
  progress.finish();
  const std::string bar = "\r\x1b[Ktrain  [######------------------]  25%  1/4  a";
  EXPECT_EQ(text(), bar + "\r\x1b[Knote\n" + bar + "\n");
}

TEST_F(ProgressTest, FitsTheTerminalWithoutCuttingACharacter) {
  Progress progress("t", 0, stream_.get(), {.terminal = true, .width = 10, .interval = kAlways});
  progress.update(7, "äöüäöü");
  progress.finish(Progress::End::clear);
  EXPECT_EQ(text(), "\r\x1b[Kt  7  äöü\r\x1b[K");
}

TEST_F(ProgressTest, ColoursOnlyWhenAsked) {
  Progress progress("t", 2, stream_.get(), {.terminal = true, .color = true, .interval = kAlways});
  progress.update(1, "");
  EXPECT_THAT(text(), HasSubstr("\x1b[32m["));
}

TEST_F(ProgressTest, AFileIsNoTerminal) {
  const ProgressStyle style = ProgressStyle::of(stream_.get());
  EXPECT_FALSE(style.terminal);
  EXPECT_FALSE(style.color);
  EXPECT_GE(style.interval, std::chrono::seconds(2));
}

}  // namespace
}  // namespace sesame
