#include "sesame/text/bpe/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "sesame/text/bpe/merge_windows.h"

namespace sesame {

// googletest finds these by name, and prints them.
bool operator==(const PieceToken& a, const PieceToken& b) {
  return a.id == b.id && a.begin == b.begin && a.end == b.end;
}
void PrintTo(const PieceToken& token, std::ostream* out) {
  *out << token.id << " [" << token.begin << ", " << token.end << ")";
}

namespace {

using Tokens = std::vector<PieceToken>;

/// A token a character, each two bytes of text apart, so that places and bytes differ; '?' does not merge.
Tokens characters(std::string_view text) {
  Tokens tokens;
  for (uint32_t i = 0; i < text.size(); ++i) {
    tokens.push_back({text[i] == '?' ? -1 : static_cast<int32_t>(text[i]), 2 * i, 2 * i + 2});
  }
  return tokens;
}

struct Rules {
  std::vector<MergeRule> rules;
  std::vector<uint32_t> ranks;  // empty: their numbers

  [[nodiscard]] MergeTable table() const { return {rules, ranks, "test"}; }
};

/// As the definition says: the lowest rank of all pairs, and of equals the leftmost, again and again.
Tokens merge_by_definition(const Rules& r, Tokens tokens) {
  while (true) {
    size_t best = tokens.size();
    uint32_t best_rank = UINT32_MAX;
    int32_t merged = 0;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      // Of equal pairs the last rule counts.
      for (size_t k = r.rules.size(); k-- > 0;) {
        if (r.rules[k].left != tokens[i].id || r.rules[k].right != tokens[i + 1].id) continue;
        const uint32_t rank = r.ranks.empty() ? static_cast<uint32_t>(k) : r.ranks[k];
        if (rank < best_rank) {
          best = i;
          best_rank = rank;
          merged = r.rules[k].merged;
        }
        break;
      }
    }
    if (best == tokens.size()) return tokens;
    tokens[best] = {merged, tokens[best].begin, tokens[best + 1].end};
    tokens.erase(tokens.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

Tokens merged(const Rules& rules, std::string_view text) {
  Tokens tokens = characters(text);
  MergeBuffers buffers;
  merge(rules.table(), tokens, buffers);
  return tokens;
}

/// The tokens that windows give; empty where they give none.
Tokens merged_by_windows(const Rules& rules, std::string_view text) {
  MergeBuffers buffers;
  Tokens tokens;
  return merge_by_windows(rules.table(), characters(text), buffers, tokens) ? tokens : Tokens{};
}

/// Rules over a few letters: what they make may be made again in other ways, and with `shuffled` a rule may come before
/// those that make what it merges. With `ties`, neighbours share a rank.
Rules random_rules(std::mt19937& random, size_t count, bool shuffled, bool ties) {
  std::vector<std::pair<int32_t, std::string>> known;
  for (const char c : {'a', 'b', 'c'}) known.emplace_back(c, std::string(1, c));
  Rules made;
  for (size_t tries = 0; made.rules.size() < count && tries < 100 * count; ++tries) {
    const auto left = known[random() % known.size()];
    const auto right = known[random() % known.size()];
    const std::string spelled = left.second + right.second;
    if (spelled.size() > 12) continue;
    const auto same = std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.second == spelled; });
    const int32_t id = same != known.end() ? same->first : 256 + static_cast<int32_t>(known.size());
    if (same == known.end()) known.emplace_back(id, spelled);
    made.rules.push_back({left.first, right.first, id});
  }
  if (shuffled) std::shuffle(made.rules.begin(), made.rules.end(), random);
  for (uint32_t i = 0; ties && i < made.rules.size(); ++i) made.ranks.push_back(i / 3);
  return made;
}

std::string random_text(std::mt19937& random, size_t size) {
  std::string text(size, ' ');
  const auto letters = 1 + random() % 4;
  const auto unknown = random() % 3 == 0 ? 40 : 1000000;
  for (char& c : text) c = random() % unknown == 1 ? '?' : static_cast<char>('a' + random() % letters);
  return text;
}

TEST(Merge, TakesTheLowestRankWhateverTheRules) {
  std::mt19937 random(5);
  int by_windows = 0;
  for (int round = 0; round < 400; ++round) {
    const Rules rules = random_rules(random, 1 + random() % 60, round % 2 == 0, round % 3 == 0);
    for (int i = 0; i < 6; ++i) {
      const std::string text = random_text(random, random() % (i == 0 ? 500 : 120));
      const Tokens expected = merge_by_definition(rules, characters(text));
      ASSERT_EQ(merged(rules, text), expected) << "round " << round << ": " << text;
      const Tokens windows = merged_by_windows(rules, text);
      if (windows.empty()) continue;
      ASSERT_EQ(windows, expected) << "round " << round << ": " << text;
      ++by_windows;
    }
  }
  EXPECT_GT(by_windows, 700);
}

TEST(Merge, Runs) {
  // Powers of two up to 128 letters.
  Rules rules = {{{'a', 'a', 300}}, {}};
  for (int32_t id = 300; id < 306; ++id) rules.rules.push_back({id, id, id + 1});
  rules.rules.push_back({'c', 'b', 400});
  for (int32_t id = 400; id < 406; ++id) rules.rules.push_back({id, id, id + 1});
  for (const std::string_view repeated : {"a", "cb"}) {
    for (const std::string_view before : {"", "b", "baab", "ccb"}) {
      for (const size_t times : {97, 1000, 3001, 4096}) {
        std::string text(before);
        for (size_t i = 0; i < times; ++i) text += repeated;
        text += "bacca";
        const Tokens expected = merge_by_definition(rules, characters(text));
        EXPECT_EQ(merged(rules, text), expected) << text.size();
        if (times < 1000) continue;  // shorter than two windows
        EXPECT_EQ(merged_by_windows(rules, text), expected) << text.size();
      }
    }
  }
}

TEST(Merge, TokensLongerThanTheFirstWindows) {
  Rules rules = {{{'a', 'a', 300}}, {}};
  for (int32_t id = 300; id < 310; ++id) rules.rules.push_back({id, id, id + 1});
  const std::string text = "ba" + std::string(7000, 'a');
  const Tokens expected = merge_by_definition(rules, characters(text));
  EXPECT_EQ(expected[1].end - expected[1].begin, 2 * 2048u);
  EXPECT_EQ(merged(rules, text), expected);
}

TEST(Merge, WhatStandsFarBehindMayDecide) {
  // 'c' takes all letters before it, one by one; without it they become pairs.
  const Rules rules = {{{'a', 'c', 300}, {'a', 300, 300}, {'a', 'a', 301}}, {}};
  const std::string text = std::string(5000, 'a') + "c" + std::string(5001, 'a');
  const Tokens tokens = merged(rules, text);
  ASSERT_EQ(tokens.size(), 2502u);
  EXPECT_EQ(tokens[0], (PieceToken{300, 0, 2 * 5001}));
  EXPECT_EQ(tokens[1], (PieceToken{301, 2 * 5001, 2 * 5003}));
  EXPECT_EQ(tokens.back(), (PieceToken{'a', 2 * 10001, 2 * 10002}));
  EXPECT_TRUE(merged_by_windows(rules, text).empty());
}

TEST(Merge, RepeatedPatternsOfSeveralTokens) {
  const Rules rules = {{{'b', 'c', 300}, {'a', 300, 301}, {'a', 'b', 302}, {302, 302, 303}}, {}};
  for (const std::string_view pattern : {"abc", "ab", "abcab", "aab?"}) {
    std::string text;
    while (text.size() < 3000) text += pattern;
    EXPECT_EQ(merged(rules, text), merge_by_definition(rules, characters(text))) << pattern;
  }
}

}  // namespace
}  // namespace sesame
