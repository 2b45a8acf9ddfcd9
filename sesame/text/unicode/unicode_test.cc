#include "sesame/text/unicode/unicode.h"

#include <gtest/gtest.h>

#include <string>

#include "sesame/text/bpe/byte_alphabet.h"

namespace sesame {
namespace {

TEST(Utf8, EveryCodePointSurvives) {
  for (uint32_t code = 0; code <= 0x10FFFF; code = code == 0xD7FF ? 0xE000 : code + 1) {
    std::string text;
    append_utf8(code, text);
    const Utf8Char c = decode_utf8(text, 0);
    ASSERT_TRUE(c.valid && c.code == code && c.length == text.size()) << code;
  }
}

TEST(Utf8, IllFormedSequencesAreOneByteEach) {
  for (const std::string text :
       {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\x80", "\xF8", "\xE2\x82"}) {
    const Utf8Char c = decode_utf8(text, 0);
    EXPECT_FALSE(c.valid) << text;
    EXPECT_EQ(c.length, 1);
    EXPECT_EQ(find_invalid_utf8("ab" + text), 2u);
  }
}

// The examples of Unicode 15, section 3.9, tables 3-8 to 3-11.
TEST(Utf8, MaximalSubpartsBecomeOneReplacementEach) {
  const auto replaced = [](std::string bytes) { return take_whole_utf8(bytes, true); };
  const std::string r = "\uFFFD";
  EXPECT_EQ(replaced("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                     "A"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replaced("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
                     "A"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replaced("\xF4\x91\x92\x93\xFF"
                     "A\x80\xBF"
                     "B"),
            r + r + r + r + r + "A" + r + r + "B");
  EXPECT_EQ(replaced("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                     "A"),
            r + r + r + r + "A");
}

TEST(Utf8, UnfinishedCharactersWait) {
  std::string pending = "a\xF0\x9F\x98";
  EXPECT_EQ(take_whole_utf8(pending, false), "a");
  EXPECT_EQ(pending, "\xF0\x9F\x98");
  pending += "\xB6";
  EXPECT_EQ(take_whole_utf8(pending, false), "\U0001F636");
  EXPECT_TRUE(pending.empty());
}

TEST(Utf8, TellsWhatIsBegunAtTheEnd) {
  for (const std::string_view none : {"", "a", "\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x98\xB6", "\x80", "\xC3\x80\x80",
                                      "\xE0\x80", "\xED\xA0", "\xF5\x80", "\xC3 "}) {
    EXPECT_EQ(begun_at_end(none), 0U) << none;
  }
  EXPECT_EQ(begun_at_end("a\xC3"), 1U);
  EXPECT_EQ(begun_at_end("\xC3\xE4"), 1U);
  EXPECT_EQ(begun_at_end("\xE4\xBD"), 2U);
  EXPECT_EQ(begun_at_end("\xE4\xBD\xA0\xF0\x9F\x98"), 3U);
}

TEST(CharClasses, FollowTheGeneralCategory) {
  const CharClasses& classes = CharClasses::get();
  EXPECT_EQ(classes.of('a'), char_letter | char_lower_like | char_word);
  EXPECT_EQ(classes.of('Z'), char_letter | char_upper_like | char_word);
  EXPECT_EQ(classes.of(0x4E2D), char_letter | char_upper_like | char_lower_like | char_word);
  EXPECT_EQ(classes.of(0x301), char_nonspacing | char_upper_like | char_lower_like | char_word);
  EXPECT_EQ(classes.of(0xBD), char_number);
  EXPECT_EQ(classes.of(0x85), char_space);
  EXPECT_EQ(classes.of(0x1C), 0);
  EXPECT_EQ(classes.of(0x200B), 0);
  EXPECT_EQ(classes.of(0x10FFFF), 0);
}

TEST(Normalize, FormsAndCase) {
  EXPECT_EQ(normalize_unicode("e\u0301\xFF", UnicodeForm::nfc), "\u00E9\xFF");
  EXPECT_EQ(normalize_unicode("\u00E9", UnicodeForm::nfd), "e\u0301");
  EXPECT_EQ(normalize_unicode("\uFB01", UnicodeForm::nfkc), "fi");
  EXPECT_EQ(lowercase_unicode("\u0130\u03A3A\xC3"),
            "i\u0307\u03C3"
            "a\xC3");
  EXPECT_EQ(strip_nonspacing_marks("e\u0301a"), "ea");
}

// GPT-2's bytes_to_unicode: the space is U+0120, the newline U+010A, 0xAD U+0143.
TEST(ByteAlphabet, SpellsBytesAsGpt2Does) {
  EXPECT_EQ(spell_bytes(" \n!\xAD"), "\u0120\u010A!\u0143");
  std::string all;
  for (int b = 0; b < 256; ++b) all += static_cast<char>(static_cast<uint8_t>(b));
  EXPECT_EQ(unspell_bytes(spell_bytes(all)), all);
  EXPECT_EQ(unspell_bytes("a b"), std::nullopt);
  EXPECT_EQ(parse_byte_token("<0x0A>"), 10);
  EXPECT_EQ(byte_token(0xEF), "<0xEF>");
  EXPECT_EQ(parse_byte_token("<0xZZ>"), std::nullopt);
}

}  // namespace
}  // namespace sesame
