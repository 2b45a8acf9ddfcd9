#include "sesame/text/unigram/train/sentence_words.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sesame/text/unigram/train/random_words.h"

namespace sesame::unigram {
namespace {

std::vector<std::string> words_of(std::string_view sentence, const WordRules& rules) {
  std::vector<std::string> words;
  for_each_word(sentence, rules, [&](std::string_view word, std::string_view rest) {
    EXPECT_EQ(word.data() + word.size(), rest.data());
    words.emplace_back(word);
  });
  return words;
}

using Words = std::vector<std::string>;

TEST(SentenceWords, SplitAsSentencePieceDoes) {
  const WordRules prefix;
  EXPECT_EQ(words_of("▁ab▁c", prefix), (Words{"▁ab", "▁c"}));
  EXPECT_EQ(words_of("ab▁▁c▁", prefix), (Words{"ab", "▁", "▁c", "▁"}));
  EXPECT_EQ(words_of("", prefix), Words{});
  const WordRules suffix{.treat_whitespace_as_suffix = true};
  EXPECT_EQ(words_of("ab▁c▁", suffix), (Words{"ab▁", "c▁"}));
  EXPECT_EQ(words_of("▁ab▁▁c", suffix), (Words{"▁", "ab▁", "▁", "c"}));
  const WordRules runs{.allow_whitespace_only_pieces = true};
  EXPECT_EQ(words_of("▁▁ab▁▁▁c▁", runs), (Words{"▁▁ab", "▁▁▁c", "▁"}));
  const WordRules suffix_runs{.treat_whitespace_as_suffix = true, .allow_whitespace_only_pieces = true};
  EXPECT_EQ(words_of("▁▁ab▁▁▁c▁", suffix_runs), (Words{"▁▁", "ab▁▁▁", "c▁"}));
  EXPECT_EQ(words_of("▁ab▁c", {.split_by_whitespace = false}), (Words{"▁ab▁c"}));
}

TEST(SentenceWords, ReservedStringsBecomeTabs) {
  const ReservedStrings reserved({"<s>", "<", "</s>", "ab", "a"});
  std::string buffer;
  EXPECT_EQ(reserved.replace("x<s>y</s>z", buffer), "x\ty\tz");
  EXPECT_EQ(reserved.replace("<<s", buffer), "\t\ts");
  EXPECT_EQ(reserved.replace("aab", buffer), "\t\t");
  const std::string untouched = "xyz";
  EXPECT_EQ(reserved.replace(untouched, buffer).data(), untouched.data());
}

using Counted = std::tuple<std::string, uint32_t, uint64_t>;

std::vector<Counted> count(const std::vector<std::string>& sentences, const WordRules& rules, int thread_count,
                           uint64_t memory_bytes) {
  ThreadPool threads(thread_count);
  SentenceWords::Options options;
  options.rules = rules;
  options.normalize = [](std::string_view line, std::string&) { return line; };
  options.memory_bytes = memory_bytes;
  SentenceWords words(options, threads);
  for (const std::string& sentence : sentences) words.add(sentence);
  EXPECT_EQ(words.sentences(), sentences.size());
  std::vector<Counted> counted;
  words.for_each([&](std::string_view word, uint32_t next, uint64_t n) { counted.emplace_back(word, next, n); });
  return counted;
}

TEST(SentenceWords, CountsWordsAndWhatFollowsThem) {
  const std::vector<Counted> expected{
      {"▁", 0x2581, 1}, {"▁a", 0, 2}, {"▁a", 0x2581, 1}, {"▁long-word-of-many-bytes", 0, 1}};
  std::vector<Counted> counted = count({"▁a▁a", "▁a", "▁▁long-word-of-many-bytes"}, {}, 2, 1 << 30);
  std::sort(counted.begin(), counted.end());
  EXPECT_EQ(counted, expected);
}

TEST(SentenceWords, TheNextCharacterOfAnyLength) {
  const WordRules suffix{.treat_whitespace_as_suffix = true};
  std::vector<Counted> counted = count({"a▁ä", "a▁漢▁😀", "a▁b", "a▁b▁\x01"}, suffix, 1, 1 << 30);
  std::sort(counted.begin(), counted.end());
  const std::vector<Counted> expected{{"\x01", 0, 1},    {"a▁", 'b', 2},      {"a▁", 0xE4, 1},
                                      {"a▁", 0x6F22, 1}, {"b", 0, 1},         {"b▁", 1, 1},
                                      {"ä", 0, 1},       {"漢▁", 0x1F600, 1}, {"😀", 0, 1}};
  std::vector<Counted> sorted = expected;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(counted, sorted);
}

TEST(SentenceWords, NeitherThreadsNorMemoryMatter) {
  std::vector<std::string> sentences = random_sentences(3, 6000, {"a", "b", "c", "d", "e", "漢"}, 12);
  for (const bool suffix : {false, true}) {
    const WordRules rules{.treat_whitespace_as_suffix = suffix};
    const std::vector<Counted> all = count(sentences, rules, 1, 1 << 30);
    EXPECT_GT(all.size(), 5000u);
    EXPECT_EQ(count(sentences, rules, 3, 1 << 30), all);
    EXPECT_EQ(count(sentences, rules, 2, 1 << 16), all);
    std::reverse(sentences.begin(), sentences.end());
    EXPECT_EQ(count(sentences, rules, 2, 1 << 30), all);
  }
}

}  // namespace
}  // namespace sesame::unigram
