#include "sesame/text/bpe/uncrossed_pairs.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

std::vector<size_t> cuts(const UncrossedPairs& pairs, std::string_view piece) {
  std::vector<size_t> places;
  for (size_t cut = pairs.next_cut(piece, 0); cut < piece.size(); cut = pairs.next_cut(piece, cut)) {
    places.push_back(cut);
  }
  return places;
}

TEST(UncrossedPairs, CutsBetweenCharactersThatNoTokenHolds) {
  const std::vector<std::string_view> tokens = {"\u4E2D\u6587", "\u5206"};
  const UncrossedPairs pairs(tokens);
  EXPECT_EQ(cuts(pairs, "\u4E2D\u6587\u5206\u8BCD"), (std::vector<size_t>{6, 9}));
  EXPECT_EQ(cuts(pairs, "a\u4E2D\u6587"), (std::vector<size_t>{}));
  EXPECT_EQ(cuts(pairs, "\u5206 \u5206"), (std::vector<size_t>{}));
  EXPECT_EQ(cuts(pairs, "\u5206\u8BCD\xE5\x88"), (std::vector<size_t>{3}));
  EXPECT_EQ(cuts(UncrossedPairs(), "\u4E2D\u6587"), (std::vector<size_t>{3}));
}

TEST(UncrossedPairs, TokensOfPartsOfCharactersCountToo) {
  // \u4E2D is E4 B8 AD, \u6587 is E6 96 87.
  for (const char* token : {"\xAD\xE6", "\xB8\xAD\xE6", "\xAD\xE6\x96", "\xE4\xB8\xAD\xE6", "\xE4\xB8\xAD\xE6\x96",
                            "\xAD\xE6\x96\x87", "\xB8\xAD\xE6\x96\x87", "\xB8\xAD\xE6\x96"}) {
    const std::vector<std::string_view> tokens = {token};
    EXPECT_EQ(cuts(UncrossedPairs(tokens), "\u4E2D\u6587"), (std::vector<size_t>{})) << token;
    EXPECT_EQ(cuts(UncrossedPairs(tokens), "\u4E00\u6587"), (std::vector<size_t>{3})) << token;
  }
}

TEST(UncrossedPairs, NeverCutsThroughAToken) {
  std::mt19937 random(4);
  const auto character = [&] {
    std::string c;
    append_utf8(0x4E00 + static_cast<uint32_t>(random() % 60), c);
    return c;
  };
  size_t found = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::string> tokens;
    for (int i = 0; i < 60; ++i) {
      std::string token;
      for (uint32_t k = 2 + random() % 3; k > 0; --k) token += character();
      const size_t begin = random() % 3;
      tokens.push_back(token.substr(begin, token.size() - begin - random() % 3));
    }
    const UncrossedPairs pairs(std::vector<std::string_view>(tokens.begin(), tokens.end()));
    for (int i = 0; i < 50; ++i) {
      std::string text;
      for (int k = 0; k < 20; ++k) text += character();
      for (const size_t cut : cuts(pairs, text)) {
        ++found;
        for (const std::string& token : tokens) {
          for (size_t at = text.find(token); at != std::string::npos; at = text.find(token, at + 1)) {
            EXPECT_TRUE(at >= cut || at + token.size() <= cut) << text << " is cut at " << cut << " in " << token;
          }
        }
      }
    }
  }
  EXPECT_GT(found, 1000u);
}

}  // namespace
}  // namespace sesame
