#include <gmock/gmock.h>

#include <array>

#include "sesame/word_vectors/files/sample_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;
using namespace std::string_view_literals;

class BinaryVectors : public VectorFiles {};

constexpr std::string_view kGolden =
    "2 3\n"
    "\xFF"
    "7 \0\0\x80\x3F\0\0\0\xC0\xCD\xCC\xCC\x3D\n"
    "b \x20\x0A\x20\x3E\0\0\0\0\0\0\0\x80\n"sv;

TEST_F(BinaryVectors, HaveTheBytesOfWord2vec) {
  WordVectors vectors = sample_vectors({{"\xFF"
                                         "7",
                                         1},
                                        {"b", 1}},
                                       3);
  std::ranges::copy(std::array{1.0F, -2.0F, 0.1F}, vectors.vectors.row(0));
  std::ranges::copy(std::array{std::bit_cast<float>(0x3E200A20), 0.0F, -0.0F}, vectors.vectors.row(1));
  write_word_vectors(path("v.bin"), vectors);
  EXPECT_EQ(read_file(path("v.bin")), kGolden);
  VectorFileSummary summary;
  expect_equal(read_word_vectors(path("v.bin"), VectorFormat::automatic, 0, &summary), vectors);
  EXPECT_EQ(summary.format, VectorFormat::word2vec_binary);
}

TEST_F(BinaryVectors, MayLackLineBreaksBehindRows) {
  const WordVectors expected = read(file(kGolden));
  std::string packed(kGolden);
  packed.erase(packed.size() - 1);
  expect_equal(read(file(packed)), expected);
  packed.erase(packed.find("\nb "), 1);
  expect_equal(read(file(packed)), expected);
}

TEST_F(BinaryVectors, CutAnywhereAreRefused) {
  const WordVectors whole = sample_vectors(odd_words(), 3);
  write_word_vectors(path("whole.bin"), whole);
  const std::string bytes = read_file(path("whole.bin"));
  for (size_t size = 0; size + 1 < bytes.size(); ++size) {
    EXPECT_NE(refusal(bytes.substr(0, size), VectorFormat::word2vec_binary), "no error") << size;
    EXPECT_NE(refusal(bytes.substr(0, size)), "no error") << size;
  }
  expect_equal(read(file(bytes.substr(0, bytes.size() - 1))), whole);
}

TEST_F(BinaryVectors, WrongHeadersAreRefused) {
  const std::string rows(kGolden.substr(4));
  EXPECT_THAT(refusal("3 3\n" + rows), HasSubstr("take at least 41 bytes, but 31 are left"));
  EXPECT_THAT(refusal("1 3\n" + rows), HasSubstr("there are bytes behind the last one, at byte 19"));
  EXPECT_THAT(refusal("2 4\n" + rows), HasSubstr("take at least 35 bytes, but 31 are left"));
  EXPECT_THAT(refusal("2 2\n" + rows), HasSubstr("the header is wrong"));
  EXPECT_THAT(refusal("2147483647 1048576\n" + rows), HasSubstr("the file is truncated, or the header wrong"));
  EXPECT_THAT(refusal("2147483648 3\n" + rows), HasSubstr("at most 2^31 - 1 words"));
}

TEST_F(BinaryVectors, NansAreNamedByRowAndWord) {
  std::string bytes(kGolden);
  bytes.replace(bytes.find("\x20\x0A\x20\x3E"), 4, "\0\0\xC0\x7F"sv);
  EXPECT_EQ(refusal(bytes), ": row 2, the word \"b\": value 1 is nan");
  bytes.replace(bytes.find("\0\0\xC0\x7F"sv), 4, "\0\0\x80\xFF"sv);
  EXPECT_EQ(refusal(bytes), ": row 2, the word \"b\": value 1 is -inf");
}

TEST_F(BinaryVectors, EmptyAndEndlessWordsAreRefused) {
  EXPECT_THAT(refusal("2 1\n \0\0\0\0\nb \0\0\0\0\n"sv), HasSubstr("row 1 has an empty word"));
  EXPECT_THAT(refusal("2 1\n" + std::string(size_t{5} << 20, '\x01'), VectorFormat::word2vec_binary),
              HasSubstr("row 1 has no space within 1048576 bytes"));
}

TEST_F(BinaryVectors, OfAWordThatIsThereTwiceTheFirstRowStays) {
  VectorFileSummary summary;
  const WordVectors vectors =
      read_word_vectors(file("3 1\na \1\0\0\0\na \2\0\0\0\nb \3\0\0\0\n"sv), VectorFormat::automatic, 0, &summary);
  ASSERT_EQ(vectors.size(), 2);
  EXPECT_EQ(summary.duplicate_words, 1);
  EXPECT_EQ(std::bit_cast<uint32_t>(vectors.row(0)[0]), 1u);
  EXPECT_EQ(std::bit_cast<uint32_t>(vectors.row(1)[0]), 3u);
}

TEST_F(BinaryVectors, LongerThanTheWindowAreReadOnAllThreads) {
  std::vector<std::string> words;
  for (int i = 0; i < 30'000; ++i) words.push_back(std::string(static_cast<size_t>(i % 40), 'w') + std::to_string(i));
  std::vector<Vocabulary::Entry> entries;
  for (const std::string& word : words) entries.push_back({word, 0});
  const WordVectors vectors = sample_vectors(entries, 100);
  write_word_vectors(path("v.bin"), vectors);
  ASSERT_GT(std::filesystem::file_size(path("v.bin")), uint64_t{12} << 20);
  expect_equal(read(path("v.bin")), vectors);
  const WordVectors first = read_word_vectors(path("v.bin"), VectorFormat::automatic, 20'001);
  EXPECT_EQ(first.size(), 20'001);
  EXPECT_EQ(first.row(20'000)[5], vectors.row(20'000)[5]);
}

TEST_F(BinaryVectors, WordsWithSpacesAreNotWritten) {
  EXPECT_THAT(error_of([&] {
                write_word_vectors(path("v.bin"), sample_vectors({{"a b", 1}}, 2));
              }),
              HasSubstr("the word \"a b\" can't be written: it has a space or line break in it"));
  EXPECT_THAT(error_of([&] {
                write_word_vectors(path("v.txt"), sample_vectors({{"a\nb", 1}}, 2));
              }),
              HasSubstr("the word \"a\\x0ab\" can't be written: it has a line break in it"));
}

}  // namespace
}  // namespace sesame
