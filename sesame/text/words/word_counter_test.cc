#include "sesame/text/words/word_counter.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace sesame {
namespace {

using Counts = std::map<std::string, uint64_t>;

Counts counts_of(const WordCounter& words) {
  Counts counts;
  std::string last;
  for (const WordCounter::Count& count : words.counts()) {
    EXPECT_TRUE(counts.empty() || last < count.word) << "not sorted at " << count.word;
    last = count.word;
    counts[last] = count.count;
  }
  return counts;
}

TEST(WordCounter, CountsWordsOfEachDocument) {
  WordCounter words(SplitPattern::gpt2, {"<|endoftext|>"}, 2);
  words.add("a b a");
  words.add(" a");  // not joined to the document before
  words.add("");
  words.add("b<|endoftext|> b");
  EXPECT_EQ(counts_of(words), (Counts{{"a", 1}, {" a", 2}, {" b", 2}, {"b", 1}}));
  words.add("b");
  EXPECT_EQ(counts_of(words).at("b"), 2u);
  EXPECT_EQ(words.bytes(), 5u + 2 + 16 + 1);
}

TEST(WordCounter, LargeDocumentsAreCutBetweenWordsOnly) {
  std::string text;
  for (int i = 0; text.size() < (2u << 20); ++i)
    text += "line" + std::to_string(i % 977) + " and  more\n" + (i % 3 == 0 ? "\n" : "");
  Counts expected;
  split(SplitPattern::gpt2, text, 0, text.size(), [&](std::string_view word) { ++expected[std::string(word)]; });
  WordCounter words(SplitPattern::gpt2, {}, 3);
  words.add(text);
  EXPECT_EQ(counts_of(words), expected);
}

}  // namespace
}  // namespace sesame
