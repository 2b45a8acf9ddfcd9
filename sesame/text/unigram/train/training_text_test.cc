#include "sesame/text/unigram/train/training_text.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sesame/text/unigram/train/random_words.h"

namespace sesame::unigram {
namespace {

std::u32string required(const std::map<uint32_t, uint64_t>& counts, std::string_view chars, float coverage) {
  std::vector<uint64_t> all(0x110000);
  for (const auto& [code, count] : counts) all[code] = count;
  std::u32string result;
  for (const CharacterCount& c : required_characters(all, chars, coverage)) result += static_cast<char32_t>(c.code);
  return result;
}

TEST(TrainingText, RequiredCharactersCoverTheText) {
  EXPECT_EQ(required({{'a', 90}, {'b', 9}, {'c', 1}}, "", 0.98f), U"ab");
  EXPECT_EQ(required({{'a', 90}, {'b', 9}, {'c', 1}}, "", 0.9f), U"a");
  EXPECT_EQ(required({{'a', 90}, {'b', 9}, {'c', 1}}, "", 1.0f), U"abc");
  EXPECT_EQ(required({{'b', 5}, {'a', 5}}, "", 1.0f), U"ab");
  EXPECT_EQ(required({{'a', 90}, {'\t', 10}}, "", 1.0f), U"a");
  EXPECT_EQ(required({{'a', 98}, {'b', 2}}, "zc", 0.98f), U"acz");
}

TEST(TrainingText, WordsAreRanksOfCharacters) {
  ThreadPool threads(1);
  const TrainingText text = text_of({"▁ba▁ba", "▁ba", "▁c"}, {}, threads);
  EXPECT_EQ(text.codes, (std::vector<uint32_t>{0, 'a', 'b', 'c', kSpace, kUnknown}));
  EXPECT_EQ(text.code_counts, (std::vector<uint64_t>{0, 3, 3, 1, 4, 0}));
  ASSERT_EQ(text.entries.size(), 3u);  // ▁ba before ▁, ▁ba at the end, ▁c
  ASSERT_EQ(text.words.size(), 2u);
  EXPECT_EQ(text.string_of(text.words[0].begin, text.words[0].length), "▁ba");
  EXPECT_EQ(text.words[0].count, 3u);
  EXPECT_EQ(text.string_of(text.words[1].begin, text.words[1].length), "▁c");
}

TEST(TrainingText, RareCharactersBecomeOne) {
  ThreadPool threads(1);
  SentenceWords::Options options;
  options.normalize = [](std::string_view line, std::string&) { return line; };
  SentenceWords words(options, threads);
  for (int i = 0; i < 99; ++i) words.add("▁aaaaaaaa");
  words.add("▁xay");
  const TrainingText text = make_training_text(words, "", 0.99f);
  EXPECT_EQ(text.codes, (std::vector<uint32_t>{0, 'a', kSpace, kUnknown}));
  std::vector<std::string> strings;
  for (const TrainingText::Word& word : text.words) strings.push_back(text.string_of(word.begin, word.length));
  EXPECT_EQ(strings, (std::vector<std::string>{"▁aaaaaaaa", "▁▅a▅"}));
  EXPECT_EQ(text.code_counts[text.unknown], 0u);
}

}  // namespace
}  // namespace sesame::unigram
