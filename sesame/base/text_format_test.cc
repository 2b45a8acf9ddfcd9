#include "sesame/base/text_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "sesame/base/error.h"

namespace sesame {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(HumanBytes, ThreeDigitsAndAUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1024), "1.00 KiB");
  EXPECT_EQ(human_bytes(1536), "1.50 KiB");
  EXPECT_EQ(human_bytes(uint64_t{3} << 29), "1.50 GiB");
  EXPECT_EQ(human_bytes((uint64_t{1} << 20) - 1), "1.00 MiB");
  EXPECT_EQ(human_bytes(std::numeric_limits<uint64_t>::max()), "16.0 EiB");
}

TEST(HumanCount, ThreeDigitsAndASuffix) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1.00k");
  EXPECT_EQ(human_count(12345), "12.3k");
  EXPECT_EQ(human_count(999600), "1.00M");
  EXPECT_EQ(human_count(124439808), "124M");
  EXPECT_EQ(human_count(1.5e9), "1.50B");
  EXPECT_EQ(human_count(-2000), "-2.00k");
  EXPECT_EQ(human_count(std::numeric_limits<double>::quiet_NaN()), "unknown");
}

TEST(HumanDuration, PicksItsUnits) {
  EXPECT_EQ(human_duration(0.424), "0.42 s");
  EXPECT_EQ(human_duration(12.34), "12.3 s");
  EXPECT_EQ(human_duration(59.96), "1 min 00 s");
  EXPECT_EQ(human_duration(185), "3 min 05 s");
  EXPECT_EQ(human_duration(7620), "2 h 07 min");
  EXPECT_EQ(human_duration(86400 * 4 + 3600 * 3), "4 d 03 h");
  EXPECT_EQ(human_duration(std::numeric_limits<double>::infinity()), "unknown");
}

TEST(ParseBytes, ReadsUnits) {
  EXPECT_EQ(parse_bytes("4096", "x"), 4096u);
  EXPECT_EQ(parse_bytes("0", "x"), 0u);
  EXPECT_EQ(parse_bytes("1.5GiB", "x"), uint64_t{3} << 29);
  EXPECT_EQ(parse_bytes("500MB", "x"), 500000000u);
  EXPECT_EQ(parse_bytes("500 mb", "x"), 500000000u);
  EXPECT_EQ(parse_bytes("64k", "x"), 65536u);
  EXPECT_EQ(parse_bytes("2T", "x"), uint64_t{2} << 40);
}

TEST(ParseBytes, RefusesTheRest) {
  for (const char* text :
       {"", "GiB", "1.5 Gb/s", "1x", "-1", "-0", "nan", "inf", "1e400", "99999999TiB", "1 2", "0x10"}) {
    try {
      parse_bytes(text, "train.memory");
      ADD_FAILURE() << text << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::usage);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("train.memory"), HasSubstr(text), HasSubstr("512MiB")));
    }
  }
}

TEST(Nearest, FindsTypingErrors) {
  const std::vector<std::string> keys{"optim.lr", "train.steps", "train.batch_size", "model.n_layer"};
  EXPECT_EQ(nearest("optim.rl", keys), "optim.lr");
  EXPECT_EQ(nearest("train.step", keys), "train.steps");
  EXPECT_EQ(nearest("Train.BatchSize", keys), "train.batch_size");
  EXPECT_EQ(nearest("model.nlayers", keys), "model.n_layer");
  EXPECT_EQ(nearest("colour", keys), std::nullopt);
  EXPECT_EQ(nearest("", keys), std::nullopt);
  EXPECT_EQ(nearest("x", {}), std::nullopt);
  EXPECT_EQ(suggestion("train.step", keys), " (did you mean \"train.steps\"?)");
  EXPECT_EQ(suggestion("colour", keys), "");
}

}  // namespace
}  // namespace sesame
