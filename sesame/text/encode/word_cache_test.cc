#include "sesame/text/encode/word_cache.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace sesame {
namespace {

using Ids = std::vector<int32_t>;

/// A word and ids that tell which word they are of, as many as the word has bytes at most.
struct Sample {
  std::string word;
  Ids ids;
};

Sample sample(uint32_t number, size_t most_ids) {
  Sample s;
  std::minstd_rand random(number + 1);
  s.word.resize(4 + random() % (WordCache::max_word - 3));
  for (char& c : s.word) c = static_cast<char>(random());
  for (size_t i = 0; i < 4; ++i) s.word[i] = static_cast<char>(number >> (8 * i));
  s.ids.resize(1 + random() % std::min(s.word.size(), most_ids));
  for (int32_t& id : s.ids) id = static_cast<int32_t>(random() >> 2);
  return s;
}

void put(WordCache& cache, const Sample& s) {
  const WordCache::Key key = WordCache::key(s.word);
  cache.put(key, WordCache::hash(key), s.ids);
}

Ids find(const WordCache& cache, const std::string& word) {
  std::array<int32_t, WordCache::room> ids;
  const WordCache::Key key = WordCache::key(word);
  const size_t count = cache.copy(key, WordCache::hash(key), ids.data());
  return {ids.begin(), ids.begin() + static_cast<ptrdiff_t>(count)};
}

/// Puts so many words, and counts those that are found again, whose ids must be their own.
uint32_t put_and_find(WordCache& cache, uint32_t words) {
  for (uint32_t i = 0; i < words; ++i) put(cache, sample(i, WordCache::max_word));
  uint32_t found = 0;
  for (uint32_t i = 0; i < words; ++i) {
    const Sample s = sample(i, WordCache::max_word);
    const Ids ids = find(cache, s.word);
    if (ids.empty()) continue;
    ++found;
    EXPECT_EQ(ids, s.ids) << i;
    if (s.word.size() == WordCache::max_word) {
      EXPECT_TRUE(find(cache, s.word + "?").empty());
    }
  }
  return found;
}

TEST(WordCache, HoldsWhatFits) {
  WordCache cache;
  constexpr uint32_t words = 100'000;
  EXPECT_GT(put_and_find(cache, words), words * 9 / 10);
}

TEST(WordCache, GivesNoIdsOfOthersWhenFull) {
  WordCache cache;
  EXPECT_GT(put_and_find(cache, 1'000'000), uint32_t{100'000});
  EXPECT_FALSE(cache.has_room());
}

TEST(WordCache, TellsWordsApartThatShareBytes) {
  WordCache cache;
  const std::string letters = "abcdefghijklmno";
  for (size_t size = 1; size <= WordCache::max_word; ++size) {
    put(cache, {letters.substr(0, size), {static_cast<int32_t>(size)}});
    put(cache, {std::string(size, '\0'), {static_cast<int32_t>(100 + size)}});
  }
  for (size_t size = 1; size <= WordCache::max_word; ++size) {
    EXPECT_EQ(find(cache, letters.substr(0, size)), Ids{static_cast<int32_t>(size)});
    EXPECT_EQ(find(cache, std::string(size, '\0')), Ids{static_cast<int32_t>(100 + size)});
  }
  EXPECT_TRUE(find(cache, letters + "p").empty());
  EXPECT_TRUE(find(cache, std::string(300, 'a')).empty());
}

TEST(WordCache, ReplacesTheIdsOfAWord) {
  WordCache cache;
  put(cache, {"word", {1, 2}});
  put(cache, {"word", {3}});
  EXPECT_EQ(find(cache, "word"), Ids{3});
  const Ids many = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  put(cache, {"fifteen letters", many});
  EXPECT_EQ(find(cache, "fifteen letters"), many);
}

}  // namespace
}  // namespace sesame
