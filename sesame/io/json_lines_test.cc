#include "sesame/io/json_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "sesame/base/error.h"
#include "sesame/base/file.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

class JsonLines : public testing::Test {
 protected:
  ~JsonLines() override { std::filesystem::remove(path_); }

  std::string truncated(const std::string& content, int64_t step) {
    write_file_atomically(path_, content);
    truncate_after_step(path_, step);
    return read_file(path_);
  }

  const std::filesystem::path path_ =
      std::filesystem::path(testing::TempDir()) /
      (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".jsonl");
};

TEST_F(JsonLines, WritesFieldsInTheirOrder) {
  const JsonRecord record = JsonRecord()
                                .add("step", 3)
                                .add("tokens", uint64_t{5'000'000'000})
                                .add("loss", 1.5)
                                .add("done", false)
                                .add("text", "a \"b\"\n\x01 \xE4\xBD\xA0 \xFF");
  EXPECT_EQ(record.line(),
            "{\"step\":3,\"tokens\":5000000000,\"loss\":1.5,\"done\":false,"
            "\"text\":\"a \\\"b\\\"\\n\\u0001 \xE4\xBD\xA0 \xEF\xBF\xBD\"}");
  EXPECT_EQ(JsonRecord().line(), "{}");
}

TEST_F(JsonLines, FloatsReadBackAsTheSameBits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto wide = std::bit_cast<double>(random());
    const auto narrow = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (!std::isfinite(wide) || !std::isfinite(narrow)) continue;
    const auto record = nlohmann::json::parse(JsonRecord().add("wide", wide).add("narrow", narrow).line());
    ASSERT_EQ(record["wide"].get<double>(), wide);
    ASSERT_EQ(static_cast<float>(record["narrow"].get<double>()), narrow);
  }
  EXPECT_EQ(JsonRecord().add("loss", 0.1f).line(), "{\"loss\":0.1}");
}

TEST_F(JsonLines, WritesNullForWhatJsonLacks) {
  EXPECT_EQ(JsonRecord().add("loss", std::nanf("")).add("norm", HUGE_VAL).line(), "{\"loss\":null,\"norm\":null}");
}

TEST_F(JsonLines, AppendsAcrossWriters) {
  JsonLinesWriter(path_).write(JsonRecord().add("step", 1));
  JsonLinesWriter(path_).write(JsonRecord().add("step", 2));
  EXPECT_EQ(read_file(path_), "{\"step\":1}\n{\"step\":2}\n");
}

TEST_F(JsonLines, EchoesToStandardOutput) {
  testing::internal::CaptureStdout();
  JsonLinesWriter(path_, true).write(JsonRecord().add("step", 1));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "{\"step\":1}\n");
  EXPECT_EQ(read_file(path_), "{\"step\":1}\n");
}

TEST_F(JsonLines, DropsLaterSteps) {
  const std::string before =
      "{\"step\": 1, \"loss\": 2.5}\n{\"note\":\"x\"}\n{\"step\":2}\n{\"step\":3}\n{\"step\":2.5}\n";
  EXPECT_EQ(truncated(before, 2), "{\"step\": 1, \"loss\": 2.5}\n{\"note\":\"x\"}\n{\"step\":2}\n{\"step\":2.5}\n");
  EXPECT_EQ(truncated(before, 3), before);
  EXPECT_EQ(truncated("{\"step\":1}\n", 0), "");
  EXPECT_EQ(truncated("", 5), "");
}

TEST_F(JsonLines, ForgivesEveryCutInTheLastLine) {
  const std::string kept = "{\"step\":1,\"loss\":2.5}\n";
  const std::string last = "{\"step\":2,\"loss\":2.25}";
  for (size_t size = 1; size < last.size(); ++size) EXPECT_EQ(truncated(kept + last.substr(0, size), 9), kept) << size;
  EXPECT_EQ(truncated(kept + last, 9), kept + last + "\n");
}

TEST_F(JsonLines, NamesABrokenLineInTheMiddle) {
  const std::string broken = "{\"step\":1}\n{\"ste\n{\"step\":2}\n";
  try {
    truncated(broken, 1);
    FAIL() << "took a broken line";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path_.string() + ":2: "));
  }
  EXPECT_EQ(read_file(path_), broken);
}

TEST_F(JsonLines, NeedsNoFileToTruncate) {
  truncate_after_step(path_, 1);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace sesame
