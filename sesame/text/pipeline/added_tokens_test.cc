#include "sesame/text/pipeline/added_tokens.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace sesame {
namespace {

AddedToken token(std::string content, int32_t id) {
  AddedToken added;
  added.content = std::move(content);
  added.id = id;
  return added;
}

AddedTokenFinder finder_of(const std::vector<AddedToken>& tokens) {
  std::vector<std::pair<std::string, AddedToken>> found_by;
  for (const AddedToken& t : tokens) found_by.emplace_back(t.content, t);
  return AddedTokenFinder(std::move(found_by));
}

/// "text|<3>token|text" for the stretches of a text.
std::string split(const AddedTokenFinder& finder, const AddedTokenFinder::Sought& sought, std::string_view text) {
  std::string out;
  finder.split(text, sought, [&](std::string_view stretch, const AddedToken* found) {
    if (!out.empty()) out += '|';
    if (found != nullptr) out += "<" + std::to_string(found->id) + ">";
    out += stretch;
  });
  return out;
}

std::string split(const std::vector<AddedToken>& tokens, std::string_view text) {
  const AddedTokenFinder finder = finder_of(tokens);
  return split(finder, finder.seek(true, {}), text);
}

TEST(AddedTokens, TheLeftmostLongestIsFound) {
  const std::vector<AddedToken> tokens = {token("<a", 1), token("<ab>", 2), token("b>c", 3)};
  EXPECT_EQ(split(tokens, "x<ab>c<a>b>c"), "x|<2><ab>|c|<1><a|>|<3>b>c");
  EXPECT_EQ(split(tokens, ""), "");
  EXPECT_EQ(split(tokens, "<ab"), "<1><a|b");
}

TEST(AddedTokens, FlagsTakeWhiteSpaceAndWantWords) {
  AddedToken left = token("<l>", 1);
  left.lstrip = true;
  AddedToken right = token("<r>", 2);
  right.rstrip = true;
  AddedToken word = token("w", 3);
  word.single_word = true;
  EXPECT_EQ(split({left, right, word}, "a \u3000<l> b"), "a|<1> \u3000<l>| b");
  EXPECT_EQ(split({left, right, word}, "a <r>\t\u2028 b"), "a |<2><r>\t\u2028 |b");
  EXPECT_EQ(split({left, right, word}, "<r>  <l>"), "<2><r>  |<1><l>");
  EXPECT_EQ(split({left, right, word}, "w _w w\u0301 \u4e2dw-w"), "<3>w| _w w\u0301 \u4e2dw-|<3>w");
  EXPECT_EQ(split({left, right, word}, "\xFFw\xFF"), "\xFF|<3>w|\xFF");
}

TEST(AddedTokens, WhatIsNotLookedForHidesWhatBeginsInsideIt) {
  AddedToken special = token("<|im|>", 1);
  special.special = true;
  const AddedTokenFinder finder = finder_of({special, token("im", 2), token("<|", 3)});
  EXPECT_EQ(split(finder, finder.seek(true, {}), "<|im|>"), "<1><|im|>");
  EXPECT_EQ(split(finder, finder.seek(false, {}), "<|im|>im"), "<|im|>|<2>im");
  EXPECT_EQ(split(finder, finder.seek(false, {"<|im|>"}), "<|im|>"), "<1><|im|>");
  EXPECT_EQ(split(finder, finder.seek(false, {"other"}), "<|im|>"), "<3><||<2>im||>");
}

/// The scan by vectors against a search at every place, with tokens of one byte, of bytes above 127 and many of them.
TEST(AddedTokens, ManyTokensAreFoundWhereverTheyStand) {
  std::mt19937 random(7);
  std::vector<AddedToken> tokens;
  for (int i = 0; i < 700; ++i) {
    std::string content;
    for (size_t length = 1 + random() % 6; length > 0; --length) content += static_cast<char>(random() % 256);
    tokens.push_back(token(content, i));
  }
  for (const size_t few : {size_t{3}, size_t{40}, tokens.size()}) {
    const std::vector<AddedToken> some(tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(few));
    const AddedTokenFinder finder = finder_of(some);
    const auto sought = finder.seek(true, {});
    for (int round = 0; round < 60; ++round) {
      std::string text(random() % 200, ' ');
      for (char& c : text) c = static_cast<char>(random() % 256);
      for (int k = 0; k < 3; ++k) text.insert(random() % (text.size() + 1), some[random() % few].content);
      std::string wanted;
      size_t done = 0;
      const auto add = [&](std::string_view part) { wanted += (wanted.empty() ? "" : "|") + std::string(part); };
      for (size_t i = 0; i < text.size();) {
        const AddedToken* longest = nullptr;
        for (const AddedToken& t : some) {
          const bool here = text.compare(i, t.content.size(), t.content) == 0;
          if (here && (longest == nullptr || t.content.size() > longest->content.size())) longest = &t;
        }
        if (longest == nullptr) {
          ++i;
          continue;
        }
        if (i > done) add(text.substr(done, i - done));
        add("<" + std::to_string(longest->id) + ">" + longest->content);
        done = i += longest->content.size();
      }
      if (done < text.size()) add(text.substr(done));
      ASSERT_EQ(split(finder, sought, text), wanted);
    }
  }
}

}  // namespace
}  // namespace sesame
