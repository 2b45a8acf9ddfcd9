#include "sesame/text/bpe/backtracking_merger.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "sesame/text/bpe/merge.h"

namespace sesame {
namespace {

using Ids = std::vector<int32_t>;

Ids all_bytes() {
  Ids ids(256);
  for (int b = 0; b < 256; ++b) ids[static_cast<size_t>(b)] = b;
  return ids;
}

Ids merge_by_rank(const MergeTable& table, std::string_view text) {
  std::vector<PieceToken> tokens;
  for (uint32_t i = 0; i < text.size(); ++i) tokens.push_back({static_cast<uint8_t>(text[i]), i, i + 1});
  MergeBuffers buffers;
  merge(table, tokens, buffers);
  Ids ids;
  for (const PieceToken& token : tokens) ids.push_back(token.id);
  return ids;
}

Ids from_left_to_right(const BacktrackingMerger& merger, std::string_view text) {
  Ids ids(text.size());
  BacktrackingMerger::Buffers buffers;
  ids.resize(merger.encode(text, buffers, ids.data()));
  return ids;
}

/// Rules over a few letters, each of tokens that earlier rules make; with `again`, some tokens are made in two ways.
std::vector<MergeRule> random_rules(std::mt19937& random, size_t count, bool again) {
  std::vector<std::pair<int32_t, std::string>> known;
  for (const char c : {'a', 'b', 'c'}) known.emplace_back(c, std::string(1, c));
  std::vector<MergeRule> rules;
  while (rules.size() < count) {
    const auto left = known[random() % known.size()];
    const auto right = known[random() % known.size()];
    const std::string spelled = left.second + right.second;
    if (spelled.size() > 12) continue;
    const auto same = std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.second == spelled; });
    if (same != known.end() && !again) continue;
    const int32_t id = same != known.end() ? same->first : 256 + static_cast<int32_t>(known.size());
    if (same == known.end()) known.emplace_back(id, spelled);
    rules.push_back({left.first, right.first, id});
  }
  return rules;
}

TEST(BacktrackingMerger, GivesWhatMergingByRankGives) {
  std::mt19937 random(5);
  int used = 0;
  for (int round = 0; round < 400; ++round) {
    const MergeTable table(random_rules(random, 1 + random() % 60, round % 2 == 0), {}, "test");
    const auto merger = BacktrackingMerger::make(table, all_bytes());
    if (merger == nullptr) continue;
    ++used;
    for (int i = 0; i < 40; ++i) {
      std::string text(random() % 60, ' ');
      const auto letters = 1 + random() % 4;
      for (char& c : text) c = static_cast<char>('a' + random() % letters);
      ASSERT_EQ(from_left_to_right(*merger, text), merge_by_rank(table, text)) << "round " << round << ": " << text;
    }
  }
  EXPECT_GT(used, 150);
}

TEST(BacktrackingMerger, RulesOutOfOrderGetNone) {
  const std::vector<MergeRule> rules = {{300, 'c', 301}, {'a', 'b', 300}};
  EXPECT_EQ(BacktrackingMerger::make(MergeTable(rules, {}, "test"), all_bytes()), nullptr);
  const std::vector<MergeRule> in_order = {{'a', 'b', 300}, {300, 'c', 301}};
  EXPECT_NE(BacktrackingMerger::make(MergeTable(in_order, {}, "test"), all_bytes()), nullptr);
}

TEST(BacktrackingMerger, LeavesTheLongestTokenWhereMergesGoAnotherWay) {
  const std::vector<MergeRule> rules = {{'b', 'c', 300}, {'a', 'b', 301}, {301, 'a', 302}};
  const MergeTable table(rules, {}, "test");
  const auto merger = BacktrackingMerger::make(table, all_bytes());
  ASSERT_NE(merger, nullptr);
  EXPECT_EQ(from_left_to_right(*merger, "abc"), (Ids{'a', 300}));
  EXPECT_EQ(from_left_to_right(*merger, "abab"), (Ids{301, 301}));
  EXPECT_EQ(from_left_to_right(*merger, "aba"), (Ids{302}));
}

}  // namespace
}  // namespace sesame
