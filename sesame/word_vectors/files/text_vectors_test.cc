#include <gmock/gmock.h>

#include <array>
#include <limits>

#include "sesame/word_vectors/files/sample_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class TextVectors : public VectorFiles {};

TEST_F(TextVectors, AreWrittenWithTheFewestDigits) {
  WordVectors vectors = sample_vectors({{"b", 1}, {"a", 1}}, 3);
  std::ranges::copy(std::array{0.1F, -0.0F, 1e-10F}, vectors.vectors.row(0));
  std::ranges::copy(std::array{3.0F, -0.33333334F, 1e30F}, vectors.vectors.row(1));
  write_word_vectors(path("v.txt"), vectors);
  EXPECT_EQ(read_file(path("v.txt")), "2 3\nb 0.1 -0 1e-10\na 3 -0.33333334 1e+30\n");
  write_word_vectors(path("v.vec"), vectors);
  EXPECT_EQ(read_file(path("v.vec")), read_file(path("v.txt")));
  write_word_vectors(path("v"), vectors, VectorFormat::glove_text);
  EXPECT_EQ(read_file(path("v")), "b 0.1 -0 1e-10\na 3 -0.33333334 1e+30\n");
}

TEST_F(TextVectors, OfOtherProgramsAreRead) {
  const WordVectors expected = read(file("2 2\na 1 -2\nb 0.5 3\n"));
  EXPECT_EQ(expected.vocabulary.word(1), "b");
  EXPECT_EQ(expected.row(0)[1], -2);
  EXPECT_EQ(expected.row(1)[0], 0.5F);
  // fastText and word2vec.c end rows with a space; Windows ends lines with two bytes; many forget the last line break.
  for (const char* text : {"2 2\na 1 -2 \nb 0.5 3 \n", "2 2\r\na 1 -2\r\nb 0.5 3\r\n", "2 2\na 1 -2\nb 0.5 3",
                           "2 2 \na 1.000000 -2.000000\nb 5e-1 +3\n\n\n", "2  2\na  1\t-2\nb 0.5   3.\n"}) {
    expect_equal(read(file(text)), expected);
  }
  for (const char* text : {"a 1 -2\nb 0.5 3\n", "a 1 -2\r\nb .5 3", "a 1 -2 \nb 0.5 3\n\n"}) {
    VectorFileSummary summary;
    expect_equal(read_word_vectors(file(text), VectorFormat::automatic, 0, &summary), expected);
    EXPECT_EQ(summary.format, VectorFormat::glove_text);
  }
}

TEST_F(TextVectors, WordsOfGloveMayHaveSpaces) {
  const WordVectors vectors = read(file("the 1 2\n. . . 3 4\nat name@domain.com 5 6\n7 7 8\n"));
  ASSERT_EQ(vectors.size(), 4);
  EXPECT_EQ(vectors.vocabulary.word(1), ". . .");
  EXPECT_EQ(vectors.vocabulary.word(2), "at name@domain.com");
  EXPECT_EQ(vectors.vocabulary.word(3), "7");
  EXPECT_EQ(vectors.row(1)[0], 3);
  write_word_vectors(path("again"), vectors, VectorFormat::glove_text);
  expect_equal(read(path("again")), vectors);
  EXPECT_THAT(error_of([&] { write_word_vectors(path("v.txt"), vectors); }), HasSubstr("a space in it"));
  EXPECT_FALSE(std::filesystem::exists(path("v.txt")));
  EXPECT_THAT(error_of([&] {
                write_word_vectors(path("v"), sample_vectors({{"a 1", 1}}, 2), VectorFormat::glove_text);
              }),
              HasSubstr("would be read as a value"));
}

TEST_F(TextVectors, OfAWordThatIsThereTwiceTheFirstRowStays) {
  VectorFileSummary summary;
  const std::string text = "a 1 2\nb 3 4\na 5 6\nc 7 8\nb 9 9\n";
  const WordVectors vectors = read_word_vectors(file(text), VectorFormat::automatic, 0, &summary);
  EXPECT_EQ(summary.duplicate_words, 2);
  expect_equal(vectors, read(file("a 1 2\nb 3 4\nc 7 8\n")));
  expect_equal(read_word_vectors(file("5 2\n" + text), VectorFormat::automatic, 3), vectors);
}

TEST_F(TextVectors, OnlyTheFirstWordsAreReadOnRequest) {
  const WordVectors vectors = read_word_vectors(file("3 1\na 1\nb 2\nc broken\n"), VectorFormat::automatic, 2);
  ASSERT_EQ(vectors.size(), 2);
  EXPECT_EQ(vectors.row(1)[0], 2);
}

TEST_F(TextVectors, BadRowsAreNamedByLineAndWord) {
  EXPECT_EQ(refusal("3 2\na 1 2\nb 3\nc 5.5 6\n"), ":3: the row of \"b\": 1 values, expected 2");
  EXPECT_EQ(refusal("3 2\na 1 2\nb 3 4 5\nc 5 6\n"), ":3: the row of \"b\": more than 2 values");
  EXPECT_EQ(refusal("3 2\na 1 2\nb 3 x4\nc 5 6\n"), ":3: the row of \"b\": value 2 is \"x4\", not a number");
  EXPECT_EQ(refusal("2 2\na 1 2\nb 3 nan\n"), ":3: the row of \"b\": value 2 is nan");
  EXPECT_EQ(refusal("2 2\na 1 2\nb -inf 3\n"), ":3: the row of \"b\": value 1 is -inf");
  EXPECT_EQ(refusal("2 2\na 1 2\nb 1 4e38\n"), ":3: the row of \"b\": value 2 is inf");
  EXPECT_THAT(refusal("2 2\na 1 2\n 3 4\n"), HasSubstr(":3: the row of \"\": the row begins with a space"));
  EXPECT_THAT(refusal("a 1 2\nb 3\n"), HasSubstr(":2: the row of \"b\": 1 values, expected 2"));
  EXPECT_THAT(refusal("a 1 2\nb 3 4 5\n"), HasSubstr("more than 2 values"));
  EXPECT_EQ(refusal("2 2\na 1 2\n\nb 3 4\n"), ":3: the line is empty, expected a row");
}

TEST_F(TextVectors, WrongHeadersAreRefused) {
  EXPECT_THAT(refusal("3 2\na 1.25 2.5\nb 3.25 4.5\n"),
              HasSubstr("the header says 3 words, but the file ends after 2"));
  EXPECT_THAT(refusal("1 2\na 1 2\nb 3 4\n"), HasSubstr(":3: the header says 1 words, but there are more rows"));
  EXPECT_THAT(refusal("2 3\na 1 2\nb 3 4\n"), HasSubstr("take at least 15 bytes, but 12 are left"));
  EXPECT_THAT(refusal("2 3\na 1.0 2.0\nb 3.0 4.0\n"), HasSubstr(":2: the row of \"a\": 2 values, expected 3"));
  EXPECT_THAT(refusal("2 1\na 1 2\nb 3 4\n"), HasSubstr(":2: the row of \"a\": more than 1 values"));
  EXPECT_THAT(refusal("0 5\n"), HasSubstr("no words"));
  EXPECT_THAT(refusal("5 0\n"), HasSubstr("5 words of 0 dimensions"));
  EXPECT_THAT(refusal("2000000000 1000000\na 1\n"), HasSubstr("take at least 4000003999999999 bytes"));
  EXPECT_THAT(refusal("99999999999999999999 99999999999999999999\na 1\n"), HasSubstr("dimensions are supported"));
  EXPECT_THAT(refusal("a 1 2\n", VectorFormat::word2vec_text), HasSubstr("the first line is no header"));
}

TEST_F(TextVectors, WhatIsNoFileOfVectorsIsRefused) {
  for (const char* text : {"", "\n", "hello", "hello world\n", "{\"a\": 1}\n"}) {
    EXPECT_THAT(refusal(text), HasSubstr("no file of word vectors that Sesame knows")) << text;
  }
  EXPECT_THAT(refusal("4 4\n"), HasSubstr("take at least 39 bytes, but 0 are left"));
}

TEST_F(TextVectors, CutAnywhereIsAnErrorOrTheShorterContent) {
  const WordVectors whole = sample_vectors(odd_words(), 3);
  write_word_vectors(path("whole"), whole, VectorFormat::word2vec_text);
  const std::string text = read_file(path("whole"));
  const size_t last_row = text.rfind(' ');
  for (size_t size = 0; size < text.size(); ++size) {
    const std::string message = refusal(text.substr(0, size), VectorFormat::word2vec_text);
    // A number that lost its last digits is a number still.
    if (size <= last_row + 1) {
      EXPECT_NE(message, "no error") << size;
    }
  }
  write_word_vectors(path("whole"), whole, VectorFormat::glove_text);
  const std::string rows = read_file(path("whole"));
  for (size_t size = 0; size <= rows.size(); ++size) {
    const std::filesystem::path cut = file(rows.substr(0, size));
    const std::string message = error_of([&] {
      const WordVectors read = read_word_vectors(cut, VectorFormat::glove_text);
      for (int32_t id = 0; id + 1 < read.size(); ++id) EXPECT_EQ(read.vocabulary.word(id), whole.vocabulary.word(id));
      EXPECT_EQ(read.size(), std::ranges::count(rows.substr(0, size), '\n') + (rows[size - 1] == '\n' ? 0 : 1));
    });
    if (size > 0 && rows[size - 1] == '\n') {
      EXPECT_EQ(message, "no error");
    }
  }
}

TEST_F(TextVectors, LongerThanTheWindowAreReadOnAllThreads) {
  std::vector<std::string> words;
  for (int i = 0; i < 30'000; ++i) words.push_back("w" + std::to_string(i * 7919));
  std::vector<Vocabulary::Entry> entries;
  for (const std::string& word : words) entries.push_back({word, 0});
  const WordVectors vectors = sample_vectors(entries, 40);
  write_word_vectors(path("v.txt"), vectors);
  ASSERT_GT(std::filesystem::file_size(path("v.txt")), uint64_t{9} << 20);
  expect_equal(read(path("v.txt")), vectors);
  write_word_vectors(path("v"), vectors, VectorFormat::glove_text);
  expect_equal(read(path("v")), vectors);
  expect_equal(read_word_vectors(path("v"), VectorFormat::glove_text, 20'001),
               read_word_vectors(path("v.txt"), VectorFormat::automatic, 20'001));
  std::string text = read_file(path("v.txt"));
  text[text.rfind(' ') + 1] = 'x';
  EXPECT_THAT(refusal(text), StartsWith(":30001: the row of \"w" + std::to_string(29'999 * 7919)));
}

TEST_F(TextVectors, OneLineWithoutEndTakesBoundedMemory) {
  EXPECT_THAT(refusal("1 1\n" + std::string(size_t{9} << 20, 'x')), HasSubstr("no line break within"));
  EXPECT_THAT(refusal("1 1\n" + std::string(size_t{2} << 20, 'x') + " 1\n"), HasSubstr("a word of 2097152 bytes"));
}

TEST_F(TextVectors, NansAreNotWritten) {
  WordVectors vectors = sample_vectors({{"a", 1}, {"b", 1}}, 2);
  vectors.vectors.row(1)[1] = std::numeric_limits<float>::quiet_NaN();
  for (const char* name : {"v.txt", "v.bin", "v.safetensors"}) {
    EXPECT_THAT(error_of([&] { write_word_vectors(path(name), vectors); }),
                HasSubstr("value 2 of the word \"b\" is nan; did training diverge?"));
    EXPECT_FALSE(std::filesystem::exists(path(name)));
  }
}

}  // namespace
}  // namespace sesame
