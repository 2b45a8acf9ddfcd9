#include "sesame/text/pipeline/unicode_forms.h"

#include <gtest/gtest.h>

#include <string>

namespace sesame {
namespace {

std::string in_form(std::string_view text, UnicodeForm form) {
  return to_unicode_form(text, form).value_or(std::string(text));
}

TEST(UnicodeForms, ComposeAndDecomposeAsUnicodeNineDoes) {
  EXPECT_EQ(in_form("e\u0301x", UnicodeForm::nfc), "\u00E9x");
  EXPECT_EQ(in_form("\u00E9", UnicodeForm::nfd), "e\u0301");
  EXPECT_EQ(in_form("a\u0323\u0302", UnicodeForm::nfc), "\u1EAD");
  EXPECT_EQ(in_form("a\u0302\u0323", UnicodeForm::nfc), "\u1EAD");  // marks in order first
  EXPECT_EQ(in_form("\u1112\u1161\u11AB", UnicodeForm::nfc), "\uD55C");
  EXPECT_EQ(in_form("\uD558\u11A7", UnicodeForm::nfc), "\uD558\u11A7");  // U+11A7 is no tail
  EXPECT_EQ(in_form("\uD55C", UnicodeForm::nfd), "\u1112\u1161\u11AB");
  EXPECT_EQ(in_form("\u0958", UnicodeForm::nfc), "\u0915\u093C");  // excluded from composition
  EXPECT_EQ(in_form("\u2001", UnicodeForm::nfkc), " ");            // canonical, then compatible
  EXPECT_EQ(in_form("\uFB01\u338F", UnicodeForm::nfkc), "fikg");
  EXPECT_EQ(in_form("\u32FF\U000107A5", UnicodeForm::nfkc), "\u32FF\U000107A5");  // newer than Unicode 9
}

TEST(UnicodeForms, TextInTheFormIsSeenAsThat) {
  EXPECT_FALSE(to_unicode_form("caf\u00E9 \u4E2D\u6587 \u1EAD", UnicodeForm::nfc));
  EXPECT_FALSE(to_unicode_form("only ASCII, and more of it than eight bytes", UnicodeForm::nfkd));
  EXPECT_FALSE(to_unicode_form("", UnicodeForm::nfd));
}

TEST(UnicodeForms, BytesThatAreNotUtf8DivideTheText) {
  EXPECT_EQ(in_form("e\xFF\u0301", UnicodeForm::nfc), "e\xFF\u0301");
  EXPECT_EQ(in_form("\xFF"
                    "e\u0301\xC3",
                    UnicodeForm::nfc),
            "\xFF\u00E9\xC3");
}

TEST(UnicodeForms, ChangesSayWhatTheyStandFor) {
  std::vector<CharChange> changed;
  change_to_form("a\u0302\u0323", UnicodeForm::nfd, changed);
  ASSERT_EQ(changed.size(), 3u);
  EXPECT_EQ(changed[1].code, 0x323u);
  change_to_form("a\u0302\u0323", UnicodeForm::nfc, changed);
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(changed[0].change, -2);
  change_to_form("\u00E9", UnicodeForm::nfd, changed);
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_EQ(changed[0].change, 0);
  EXPECT_EQ(changed[1].change, 1);
}

}  // namespace
}  // namespace sesame
