#include "sesame/text/unigram/train/piece_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "sesame/text/unicode/unicode.h"

namespace sesame::unigram {
namespace {

bool valid(std::string_view piece, const PieceRules& rules = {}) {
  std::vector<uint32_t> codes;
  std::vector<uint32_t> letters;
  for (size_t i = 0; i < piece.size(); i += decode_utf8(piece, i).length) {
    letters.push_back(static_cast<uint32_t>(codes.size()));
    codes.push_back(decode_utf8(piece, i).code);
  }
  return PieceValidator(rules, codes).valid(letters);
}

TEST(PieceRules, Length) {
  EXPECT_FALSE(valid(""));
  EXPECT_TRUE(valid("abcdefghijklmnop"));
  EXPECT_FALSE(valid("abcdefghijklmnopq"));
  EXPECT_FALSE(valid("abc", {.max_sentencepiece_length = 2}));
}

TEST(PieceRules, SpaceLeads) {
  EXPECT_TRUE(valid("▁the"));
  EXPECT_TRUE(valid("▁"));
  EXPECT_FALSE(valid("the▁"));
  EXPECT_FALSE(valid("the▁man"));
  EXPECT_FALSE(valid("▁▁"));
  EXPECT_TRUE(valid("▁▁▁", {.allow_whitespace_only_pieces = true}));
  EXPECT_FALSE(valid("▁▁a", {.allow_whitespace_only_pieces = true}));
}

TEST(PieceRules, SpaceFollows) {
  const PieceRules suffix{.treat_whitespace_as_suffix = true};
  EXPECT_TRUE(valid("the▁", suffix));
  EXPECT_FALSE(valid("▁the", suffix));
  EXPECT_FALSE(valid("the▁man", suffix));
  const PieceRules across{.split_by_whitespace = false, .treat_whitespace_as_suffix = true};
  EXPECT_TRUE(valid("the▁man", across));
  EXPECT_TRUE(valid("the▁man▁", across));
  EXPECT_FALSE(valid("▁man", across));
}

TEST(PieceRules, SpaceInside) {
  const PieceRules across{.split_by_whitespace = false};
  EXPECT_TRUE(valid("▁the▁man", across));
  EXPECT_FALSE(valid("the▁man▁", across));
}

TEST(PieceRules, Scripts) {
  EXPECT_FALSE(valid("aб"));
  EXPECT_TRUE(valid("aб", {.split_by_unicode_script = false}));
  EXPECT_FALSE(valid("a,"));
  EXPECT_FALSE(valid("a1"));
  EXPECT_TRUE(valid("a1b2", {.split_by_number = false}));
  EXPECT_FALSE(valid("a,", {.split_by_number = false}));
  EXPECT_TRUE(valid("漢字ひらがなカタカナー"));
  EXPECT_FALSE(valid("漢a"));
  EXPECT_TRUE(valid("e\xCC\x81t\xC3\xA9"));  // a combining accent is of any script
  EXPECT_FALSE(valid("e\xCC\x81\xD0\xB1"));
  EXPECT_FALSE(valid("\xD5\xA1\xD6\x89"));  // Armenian, and its full stop, which SentencePiece holds for common
}

TEST(PieceRules, Digits) {
  EXPECT_TRUE(valid("2024"));
  EXPECT_FALSE(valid("2024", {.split_digits = true}));
  EXPECT_TRUE(valid("2", {.split_digits = true}));
  EXPECT_FALSE(valid("１２", {.split_digits = true}));
}

TEST(PieceRules, MarksAreNoPieces) {
  EXPECT_FALSE(valid("▅"));
  EXPECT_FALSE(valid("a▅"));
  EXPECT_FALSE(valid("\t"));
  EXPECT_FALSE(valid("a b", {.split_by_unicode_script = false}));
}

}  // namespace
}  // namespace sesame::unigram
