#include "sesame/text/sentencepiece/byte_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace sesame {
namespace {

struct Draw {
  uint64_t state = 7;
  uint64_t operator()(uint64_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
  }
};

std::string random_string(Draw& draw, size_t longest, bool any_byte) {
  std::string text;
  for (size_t left = 1 + draw(longest); left > 0; --left) {
    text.push_back(any_byte ? static_cast<char>(draw(256)) : "abcd"[draw(4)]);
  }
  return text;
}

/// With and without weights, strings of few letters and of any bytes, NUL too.
TEST(ByteTrie, FindsThePrefixesThatASearchFinds) {
  for (const bool any_byte : {false, true}) {
    for (const bool has_weights : {false, true}) {
      Draw draw;
      std::map<std::string, int32_t> strings;
      while (strings.size() < 700)
        strings.emplace(random_string(draw, 6, any_byte), static_cast<int32_t>(strings.size()));
      std::vector<double> weights(strings.size());
      for (double& weight : weights) weight = 1.0 / static_cast<double>(1 + draw(1000));
      const ByteTrie trie({strings.begin(), strings.end()},
                          has_weights ? std::span<const double>(weights) : std::span<const double>());
      for (int round = 0; round < 3000; ++round) {
        std::string text = random_string(draw, 12, any_byte);
        if (round % 2 == 0) {
          auto some = strings.begin();
          std::advance(some, static_cast<std::ptrdiff_t>(draw(strings.size())));
          text.insert(0, some->first);
        }
        std::vector<std::pair<size_t, int32_t>> expected;
        for (size_t length = 1; length <= text.size(); ++length) {
          const auto found = strings.find(text.substr(0, length));
          if (found != strings.end()) expected.emplace_back(length, found->second);
        }
        std::vector<std::pair<size_t, int32_t>> visited;
        trie.for_each_prefix("x" + text, 1, [&](size_t length, int32_t value) { visited.emplace_back(length, value); });
        ASSERT_EQ(visited, expected);
        const ByteTrie::Match longest = trie.longest_prefix(text);
        EXPECT_EQ(longest.length, expected.empty() ? 0 : expected.back().first);
        EXPECT_EQ(trie.find(text), strings.count(text) != 0 ? strings[text] : -1);
      }
    }
  }
}

TEST(ByteTrie, FindsNothingWhereThereIsNothing) {
  EXPECT_EQ(ByteTrie().longest_prefix("a").length, 0U);
  EXPECT_EQ(ByteTrie({{"a", 3}}).find(""), -1);
  EXPECT_EQ(ByteTrie({{"a", 3}}).find("a"), 3);
}

}  // namespace
}  // namespace sesame
