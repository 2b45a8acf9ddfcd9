#include "sesame/io/tensorboard.h"

#include <gtest/gtest.h>

#include <cstring>

#include "sesame/base/file.h"

namespace sesame {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

/// The payloads of all records; fails the test where the framing is wrong.
std::vector<std::string> records_of(std::string_view file) {
  std::vector<std::string> records;
  while (file.size() >= 16) {
    uint64_t size = 0;
    std::memcpy(&size, file.data(), sizeof size);
    const std::string data(file.substr(12, size));
    EXPECT_EQ(hex(tensorboard_record(data)), hex(file.substr(0, size + 16)));
    records.push_back(data);
    file.remove_prefix(std::min(file.size(), size + 16));
  }
  EXPECT_TRUE(file.empty());
  return records;
}

TEST(Tensorboard, FirstRecordIsTheReferenceBytes) {
  EXPECT_EQ(hex(tensorboard_record(tensorboard_version_event(1.0))),
            "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf577a");
}

TEST(Tensorboard, ScalarsAreProtocolBuffers) {
  const std::array scalars = {Scalar{"a", 1.0f}, Scalar{"loss", -2.0f}};
  EXPECT_EQ(hex(tensorboard_scalar_event(1.0, 300, scalars)),
            "09000000000000f03f"  // 1: wall_time 1.0
            "10ac02"              // 2: step 300
            "2a17"                // 5: summary of 23 bytes
            "0a08"
            "0a0161"
            "150000803f"  // 1: value { 1: "a", 2: 1.0 }
            "0a0b"
            "0a046c6f7373"
            "15000000c0");
}

TEST(Tensorboard, ResumedRunsAddAFile) {
  const std::filesystem::path directory = std::filesystem::path(testing::TempDir()) / "tensorboard_test" / "events";
  std::filesystem::remove_all(directory);
  TensorboardWriter first(directory);
  const std::array one = {Scalar{"loss", 1.0f}};
  first.write(1, one);
  TensorboardWriter second(directory);
  second.write(2, one);
  EXPECT_NE(first.path(), second.path());
  EXPECT_TRUE(second.path().filename().string().starts_with("events.out.tfevents."));
  for (const TensorboardWriter* writer : {&first, &second}) {
    const std::vector<std::string> records = records_of(read_file(writer->path()));
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].substr(9),
              "\x1A\x0D"
              "brain.Event:2");
    EXPECT_EQ(records[1][10], writer == &first ? 1 : 2);
  }
  std::filesystem::remove_all(directory.parent_path());
}

}  // namespace
}  // namespace sesame
