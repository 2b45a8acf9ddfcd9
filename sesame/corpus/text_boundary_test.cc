#include "sesame/corpus/text_boundary.h"

#include <gtest/gtest.h>

namespace sesame {
namespace {

TEST(TextBoundary, CountsBytesThatAreNotUtf8) {
  EXPECT_EQ(count_invalid_utf8(""), 0u);
  EXPECT_EQ(count_invalid_utf8("plain"), 0u);
  EXPECT_EQ(count_invalid_utf8("\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80"), 0u);
  EXPECT_EQ(count_invalid_utf8("caf\xE9 au"), 1u);
  EXPECT_EQ(count_invalid_utf8("\xC0\xAF"), 2u) << "overlong";
  EXPECT_EQ(count_invalid_utf8("\xE0\x80\xAF"), 3u) << "overlong";
  EXPECT_EQ(count_invalid_utf8("\xF0\x80\x80\xAF"), 4u) << "overlong";
  EXPECT_EQ(count_invalid_utf8("\xED\xA0\x80"), 3u) << "a surrogate";
  EXPECT_EQ(count_invalid_utf8("\xF4\x90\x80\x80"), 4u) << "above U+10FFFF";
  EXPECT_EQ(count_invalid_utf8("\xF5\xFF"), 2u);
  EXPECT_EQ(count_invalid_utf8("ab\xE4\xBD"), 0u) << "cut off by the end";
  EXPECT_EQ(count_invalid_utf8("\xE4\xBDz"), 2u);
}

TEST(TextBoundary, CutsWhereNoTokenizerJoins) {
  EXPECT_EQ(piece_end("ab\ncd\nef", 7), 6u);
  EXPECT_EQ(piece_end("ab\ncd\n ef", 7), 3u) << "white space joins the line break before it";
  EXPECT_EQ(piece_end("ab\ncd\n-ef", 7), 3u);
  EXPECT_EQ(piece_end("ab\n-d\n ef", 7), 3u) << "a mark is better than white space";
  EXPECT_EQ(piece_end("ab\n-d\n-ef", 7), 6u) << "the last of equals";
  EXPECT_EQ(piece_end("ab\n d\n ef", 7), 6u) << "any line break is better than none";
  EXPECT_EQ(piece_end("ab\n\xE4\xBD\xA0 d", 5), 3u);
}

TEST(TextBoundary, NeverCutsACharacter) {
  const std::string_view text = "a\xE4\xBD\xA0\xF0\x9F\x98\x80z";
  const size_t expected[] = {0, 1, 1, 1, 4, 4, 4, 4, 8};
  for (size_t limit = 1; limit < text.size(); ++limit) {
    if (limit == 1) {
      EXPECT_EQ(piece_end(text, limit), 1u);
    } else {
      EXPECT_EQ(piece_end(text, limit), expected[limit]) << limit;
    }
  }
  EXPECT_EQ(piece_end("\x80\x80\x80\x80\x80\x80\x80", 5), 5u) << "no character to keep whole";
}

}  // namespace
}  // namespace sesame
