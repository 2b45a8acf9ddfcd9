#include "sesame/text/unicode/unicode_properties.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sesame/base/test_data.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

TEST(UnicodeProperties, AreThoseOfUnicode16) {
  EXPECT_EQ(general_category('a'), GeneralCategory::ll);
  EXPECT_EQ(general_category(0x01C5), GeneralCategory::lt);
  EXPECT_EQ(general_category(0x4E2D), GeneralCategory::lo);
  EXPECT_EQ(general_category(0x1C89), GeneralCategory::lu);   // since 16.0
  EXPECT_EQ(general_category(0x1171E), GeneralCategory::mc);  // Mn until 15.1
  EXPECT_EQ(general_category(0x2FFC), GeneralCategory::so);   // since 15.1
  EXPECT_EQ(general_category(0x10FFFF), GeneralCategory::cn);
  EXPECT_EQ(general_category(0x110000), GeneralCategory::cn);
}

TEST(UnicodeProperties, NamesOfSetsAndScripts) {
  EXPECT_EQ(category_set("Lu"), 1u);
  EXPECT_EQ(category_set("L"), 0x1Fu);
  EXPECT_EQ(category_set("LC"), 7u);
  EXPECT_EQ(category_set("Lx"), std::nullopt);
  EXPECT_EQ(category_set(""), std::nullopt);
  EXPECT_EQ(script_named("Han"), Script::han);
  EXPECT_EQ(script_named("Klingon"), std::nullopt);
  EXPECT_EQ(script_of(0x4E2D), Script::han);
  EXPECT_EQ(script_of(0x30A2), Script::katakana);
  EXPECT_EQ(script_of('a'), Script::latin);
  EXPECT_EQ(script_of(' '), Script::common);
  EXPECT_EQ(script_of(0x301), Script::inherited);
  EXPECT_EQ(script_of(0xE000), Script::unknown);
}

/// The clusters of a text, separated by '|'.
std::string clusters(std::string_view text) {
  std::string result;
  for (size_t p = 0; p < text.size();) {
    const size_t end = next_grapheme(text, p);
    result += (p == 0 ? "" : "|") + std::string(text.substr(p, end - p));
    p = end;
  }
  return result;
}

TEST(Graphemes, FollowTheRulesOfUax29) {
  EXPECT_EQ(clusters("\r\n\na\u0301b"), "\r\n|\n|a\u0301|b");
  EXPECT_EQ(clusters("\u1100\u1161\u11A8\u1100\uAC00\u11A8"), "\u1100\u1161\u11A8|\u1100\uAC00\u11A8");
  EXPECT_EQ(clusters("\U0001F468\u200D\U0001F469x\u200D\U0001F469"), "\U0001F468\u200D\U0001F469|x\u200D|\U0001F469");
  EXPECT_EQ(clusters("\U0001F1E6\U0001F1E7\U0001F1E8"), "\U0001F1E6\U0001F1E7|\U0001F1E8");
  EXPECT_EQ(clusters("\u0915\u094D\u0937\u0915\u0937"), "\u0915\u094D\u0937|\u0915|\u0937");  // GB9c, since 15.1
  EXPECT_EQ(clusters("a\xFF\u0301"), "a|\xFF|\u0301");
}

TEST(Graphemes, AgreeWithThePublishedCases) {
  const auto file = shared_data("unicode/GraphemeBreakTest.txt");
  if (!file) GTEST_SKIP();
  std::ifstream in(*file);
  size_t cases = 0;
  for (std::string line; std::getline(in, line);) {
    line = line.substr(0, line.find('#'));
    std::istringstream words(line);
    std::string text;
    std::vector<size_t> expected;
    for (std::string word; words >> word;) {
      if (word == "\u00F7") {
        expected.push_back(text.size());
      } else if (word != "\u00D7") {
        append_utf8(static_cast<uint32_t>(std::stoul(word, nullptr, 16)), text);
      }
    }
    if (text.empty()) continue;
    std::vector<size_t> found{0};
    while (found.back() < text.size()) found.push_back(next_grapheme(text, found.back()));
    ASSERT_EQ(found, expected) << line;
    ++cases;
  }
  EXPECT_GT(cases, 500u);
}

}  // namespace
}  // namespace sesame
