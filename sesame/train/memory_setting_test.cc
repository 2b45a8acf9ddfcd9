#include "sesame/train/memory_setting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/error.h"
#include "sesame/base/error_of.h"
#include "sesame/base/machine.h"

namespace sesame {
namespace {

using Kind = MemorySetting::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(MemorySetting, Words) {
  EXPECT_EQ(parse_memory("", "m").kind, Kind::free_replays);
  EXPECT_EQ(parse_memory("keep", "m").kind, Kind::keep);
  EXPECT_EQ(parse_memory("auto", "m").kind, Kind::automatic);
  EXPECT_EQ(parse_memory("", "m").budget(), std::nullopt);
  EXPECT_EQ(parse_memory("keep", "m").budget(), std::nullopt);
}

TEST(MemorySetting, Sizes) {
  const auto bytes = [](const char* text) {
    const MemorySetting setting = parse_memory(text, "m");
    EXPECT_EQ(setting.kind, Kind::bytes) << text;
    EXPECT_EQ(setting.budget(), setting.bytes) << text;
    return setting.bytes;
  };
  EXPECT_EQ(bytes("4096"), 4096);
  EXPECT_EQ(bytes("7B"), 7);
  EXPECT_EQ(bytes("3kB"), 3000);
  EXPECT_EQ(bytes("3KB"), 3000);
  EXPECT_EQ(bytes("500 MB"), 500000000);
  EXPECT_EQ(bytes("512MiB"), 512 << 20);
  EXPECT_EQ(bytes("2GB"), 2000000000);
  EXPECT_EQ(bytes("1.5GiB"), int64_t{3} << 29);
}

TEST(MemorySetting, AutomaticIsNineTenthsOfWhatIsFree) {
  const auto free = static_cast<double>(available_memory());
  const auto budget = static_cast<double>(*parse_memory("auto", "m").budget());
  EXPECT_GT(budget, 0.5 * free);  // others take and give memory meanwhile
  EXPECT_LT(budget, 1.5 * free);
}

TEST(MemorySetting, RefusesTheRest) {
  for (const char* text :
       {"much", "-1GiB", "1.5 gigs", "GiB", " 1GiB", "1e3", "0", "0MiB", "nan", "Auto", "99999999TB"})
    EXPECT_THAT(error_of([&] { parse_memory(text, "recipe.toml:7: train.memory"); }),
                AllOf(HasSubstr("recipe.toml:7: train.memory"), HasSubstr(text)))
        << text;
  try {
    parse_memory("much", "m");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::usage);
    EXPECT_THAT(error.what(), HasSubstr("\"auto\""));
  }
}

}  // namespace
}  // namespace sesame
