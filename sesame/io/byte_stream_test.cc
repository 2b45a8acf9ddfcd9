#include "sesame/io/byte_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "sesame/base/error.h"
#include "sesame/io/compressed_text.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

/// Text that compresses to something of many blocks.
std::string sample_text(size_t bytes) {
  std::string text;
  for (uint32_t state = 1; text.size() < bytes;) {
    state = state * 1664525 + 1013904223;
    text += std::to_string(state >> 8);
    text += state & 0x100 ? ' ' : '\n';
  }
  return text;
}

std::string read_compressed(std::string bytes, std::string name = "corpus") {
  return read_all(*decompress(open_string(std::move(bytes), std::move(name))));
}

std::string error_of(std::string bytes, std::string name = "corpus") {
  try {
    read_compressed(std::move(bytes), std::move(name));
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

struct Codec {
  std::string name;
  std::string (*compress)(std::string_view);
};

class Compressed : public testing::TestWithParam<Codec> {};

TEST_P(Compressed, GivesBackTheText) {
  for (const size_t size : {0, 1, 1000, 3'000'000}) {
    const std::string text = sample_text(size);
    EXPECT_EQ(read_compressed(GetParam().compress(text)), text) << size;
  }
}

TEST_P(Compressed, ReadsMembersOneAfterTheOther) {
  const auto compress = GetParam().compress;
  EXPECT_EQ(read_compressed(compress("one ") + compress("") + compress("two")), "one two");
}

TEST_P(Compressed, GivesTheSameInReadsOfOneByte) {
  const std::string text = sample_text(5000);
  const auto reader = decompress(open_string(GetParam().compress(text) + GetParam().compress("end"), "corpus"));
  std::string read;
  for (char c = 0; reader->read(std::span(&c, 1)) == 1;) read += c;
  EXPECT_EQ(read, text + "end");
}

TEST_P(Compressed, RefusesEveryTruncation) {
  const std::string whole = GetParam().compress(sample_text(600));
  for (size_t size = 4; size < whole.size(); ++size) {
    EXPECT_THAT(error_of(whole.substr(0, size)), HasSubstr("corpus: truncated")) << size << " of " << whole.size();
  }
}

TEST_P(Compressed, RefusesFlippedBitsOfTheData) {
  const std::string text = sample_text(600);
  const std::string whole = GetParam().compress(text);
  for (size_t i = 12; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_THAT(error_of(damaged), HasSubstr("corpus: ")) << "byte " << i;
  }
}

TEST_P(Compressed, RefusesGarbageBehindTheEnd) {
  EXPECT_THAT(error_of(GetParam().compress("text") + "garbage garbage"), HasSubstr("corpus: corrupt"));
}

INSTANTIATE_TEST_SUITE_P(Codecs, Compressed, testing::Values(Codec{"gzip", gzip}, Codec{"zstd", zstd}),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(ByteStream, SkipsZerosBehindGzip) {
  EXPECT_EQ(read_compressed(gzip("tape") + std::string(700, '\0')), "tape");
  EXPECT_THAT(error_of(gzip("tape") + std::string(700, '\0') + gzip("more")), HasSubstr("bytes behind the last"));
}

TEST(ByteStream, SkipsSkippableFrames) {
  const std::string skippable("\x53\x2A\x4D\x18\x03\x00\x00\x00xyz", 11);
  EXPECT_EQ(read_compressed(skippable + zstd("text") + skippable), "text");
}

TEST(ByteStream, PassesPlainBytesThrough) {
  for (const std::string text : {"", "a", "\x1F\x8B", "(\xB5/", "plain text"}) EXPECT_EQ(read_compressed(text), text);
}

TEST(ByteStream, TrustsNoSuffix) {
  EXPECT_THAT(error_of("plain text", "a.txt.gz"), HasSubstr("a.txt.gz: does not start with the magic bytes of gzip"));
  EXPECT_THAT(error_of("", "a.txt.zst"), HasSubstr("the file is empty"));
  EXPECT_EQ(read_compressed(zstd("text"), "no-suffix"), "text");
}

TEST(ByteStream, ReadsFiles) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "byte_stream.txt.zst";
  const std::string text = sample_text(100'000);
  std::ofstream(path, std::ios::binary) << zstd(text);
  EXPECT_EQ(read_all(*open_bytes(path.string())), text);
  EXPECT_THROW(read_all(*open_bytes(path.string()), 99'999), Error);
  std::filesystem::remove(path);
  EXPECT_THROW(open_bytes(path.string()), Error);
}

TEST(ByteStream, RefusesDirectories) {
  try {
    open_bytes(testing::TempDir());
    FAIL() << "opened a directory";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("is a directory"));
  }
}

}  // namespace
}  // namespace sesame
