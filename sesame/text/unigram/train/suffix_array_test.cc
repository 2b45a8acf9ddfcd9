#include "sesame/text/unigram/train/suffix_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "sesame/text/unicode/unicode.h"
#include "sesame/text/unigram/train/random_words.h"

namespace sesame::unigram {
namespace {

using Letters = std::vector<uint32_t>;

Letters suffix(const TrainingText& text, uint32_t position, uint32_t entry, uint32_t depth) {
  const uint32_t end = text.entries[entry].begin + text.entries[entry].length + 1;
  return {text.letters.begin() + position, text.letters.begin() + std::min(end, position + depth)};
}

void expect_sorted(const TrainingText& text, uint32_t depth, ThreadPool& threads) {
  const SuffixArray array = sort_suffixes(text, depth, threads);
  ASSERT_EQ(array.positions.size(), text.letters.size() - text.entries.size());
  const std::set<uint32_t> positions(array.positions.begin(), array.positions.end());
  ASSERT_EQ(positions.size(), array.positions.size());
  Letters before;
  for (size_t i = 0; i < array.positions.size(); ++i) {
    const TrainingText::Entry& entry = text.entries[array.entries[i]];
    ASSERT_GE(array.positions[i], entry.begin);
    ASSERT_LT(array.positions[i], entry.begin + entry.length);
    const Letters here = suffix(text, array.positions[i], array.entries[i], depth);
    ASSERT_LE(before, here) << "at " << i << ", depth " << depth;
    size_t shared = 0;
    while (shared < std::min(before.size(), here.size()) && before[shared] == here[shared]) ++shared;
    ASSERT_EQ(array.shared[i], shared) << "at " << i << ", depth " << depth;
    before = here;
  }
}

TEST(SuffixArray, IsThatOfTheDefinition) {
  std::vector<std::string> many;
  for (char32_t code = 0x4E00; code < 0x4E00 + 3000; ++code) {
    std::string letter;
    append_utf8(code, letter);
    many.push_back(letter);
  }
  for (const int count : {1, 2, 3}) {
    ThreadPool threads(count);
    for (const auto& letters : {std::vector<std::string>{"a"}, {"a", "b"}, {"a", "b", "c", "d", "\xC3\xA4"}, many}) {
      for (const size_t longest : {3, 40}) {
        const TrainingText text = text_of(random_sentences(7, 60, letters, longest), {}, threads);
        for (const uint32_t depth : {1, 3, 17, 60}) expect_sorted(text, depth, threads);
      }
    }
  }
}

TEST(SuffixArray, OneWord) {
  ThreadPool threads(2);
  expect_sorted(text_of({"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, {}, threads),
                17, threads);
}

}  // namespace
}  // namespace sesame::unigram
