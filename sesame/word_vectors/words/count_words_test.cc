#include "sesame/word_vectors/words/count_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "sesame/base/error_of.h"
#include "sesame/text/words/word_counts.h"
#include "sesame/text/words/word_map.h"
#include "sesame/word_vectors/words/test_corpus.h"

namespace sesame {
namespace {

using testing::HasSubstr;

std::string shown(const CountResult& result) {
  std::string text = std::to_string(result.words) + " words, " + std::to_string(result.distinct_words) + " distinct, " +
                     std::to_string(result.sentences) + " sentences:";
  for (int32_t id = 0; id < result.vocabulary.size(); ++id) {
    text += " " + std::string(result.vocabulary.word(id)) + "=" + std::to_string(result.vocabulary.count(id));
  }
  return text;
}

std::string count(const WordSourceOptions& source, const CountOptions& options, int threads = 2) {
  ThreadPool pool(threads);
  return shown(count_words(source, options, pool));
}

/// The same by a sorted map of strings.
std::string plain_count(std::string_view text, uint64_t min_count) {
  CountResult result;
  std::map<std::string, uint64_t> counts;
  for (const std::vector<std::string>& sentence : plain_sentences(text)) {
    ++result.sentences;
    for (const std::string& word : sentence) ++counts[word];
  }
  std::vector<Vocabulary::Entry> entries;
  for (const auto& [word, n] : counts) {
    result.words += n;
    ++result.distinct_words;
    if (n >= min_count) entries.push_back({word, n});
  }
  result.vocabulary = Vocabulary(entries);
  return shown(result);
}

TEST(CountWords, HasGoldenResult) {
  const TestCorpus corpus("the cat\r\nthe dog the\n\n\tcat </s>\n");
  EXPECT_EQ(count(corpus.source(), {.min_count = 1}), "7 words, 4 distinct, 3 sentences: the=3 cat=2 </s>=1 dog=1");
  EXPECT_EQ(count(corpus.source(), {.min_count = 2}), "7 words, 4 distinct, 3 sentences: the=3 cat=2");
  EXPECT_EQ(count(corpus.source(), {.min_count = 1, .max_words = 1}), "7 words, 4 distinct, 3 sentences: the=3");
  EXPECT_EQ(count(corpus.source(), {.min_count = 2, .max_words = 1, .end_of_sentence = true}),
            "7 words, 4 distinct, 3 sentences: </s>=3 the=3");
  EXPECT_EQ(count(corpus.source(), {.min_count = 1, .max_words = 3, .end_of_sentence = true}),
            "7 words, 4 distinct, 3 sentences: </s>=4 the=3 cat=2 dog=1");
}

TEST(CountWords, IsExactForAnyThreadsBlocksAndMemory) {
  for (const uint64_t seed : {1, 2}) {
    const std::string text = random_text(seed, 60000);
    const TestCorpus corpus(text);
    WordSourceOptions source = corpus.source();
    for (const uint64_t min_count : {1, 3}) {
      const std::string expected = plain_count(text, min_count);
      for (const int threads : {1, 2, 5}) {
        for (const uint64_t memory : {uint64_t{1}, uint64_t{100000}, uint64_t{1} << 30}) {
          source.block_bytes = 300 + memory % 77;
          EXPECT_EQ(count(source, {.min_count = min_count, .memory_bytes = memory}, threads), expected)
              << threads << " threads, " << memory << " bytes";
        }
      }
    }
  }
}

TEST(CountWords, CountsSentencesThatAreLongerThanBlocks) {
  const std::string text = "a b c d\n\n \n" + std::string(100, ' ') + "\n" + std::string(100, ' ') + "e" +
                           std::string(100, ' ') + "\nf" + std::string(50, ' ');
  const TestCorpus corpus(text);
  WordSourceOptions source = corpus.source();
  for (const size_t size : {1, 2, 3, 5, 20, 1000}) {
    source.block_bytes = size;
    EXPECT_THAT(count(source, {.min_count = 1}), HasSubstr("6 words, 6 distinct, 3 sentences")) << size;
  }
}

TEST(CountWords, CountsLongWordsInLittleMemory) {
  std::string text;
  for (int i = 0; i < 3000; ++i)
    text += std::string(static_cast<size_t>(i % 100), 'x') + std::to_string(i % 500) + "\n";
  const TestCorpus corpus(text);
  const std::string expected = plain_count(text, 2);
  for (const uint64_t memory : {1000, 50000}) {
    EXPECT_EQ(count(corpus.source(), {.min_count = 2, .memory_bytes = memory}), expected);
  }
}

TEST(CountWords, GoesToTheDiskBeforeLongWordsOutgrowMemory) {
  std::string text;
  for (char c = 'a'; c <= 'z'; ++c) text += std::string(20000, c) + "\n";
  const TestCorpus corpus(text);
  CountOptions options{.min_count = 1, .memory_bytes = 400000, .temporary_directory = "/nowhere"};
  EXPECT_THAT(error_of([&] { count(corpus.source(), options); }), HasSubstr("cannot make a temporary file for counts"));
  options.memory_bytes = 4 << 20;
  EXPECT_THAT(count(corpus.source(), options), HasSubstr("26 words, 26 distinct"));
}

TEST(CountWords, SaysWhatToDoWhereNoWordIsFrequentEnough) {
  const TestCorpus corpus("a b c\n");
  EXPECT_THAT(error_of([&] { count(corpus.source(), {.min_count = 5}); }),
              testing::AllOf(HasSubstr("no word occurs 5 times"), HasSubstr("3 words, 3 of them distinct"),
                             HasSubstr("--min-count")));
  EXPECT_THAT(error_of([&] { count(corpus.source(), {.min_count = 5, .end_of_sentence = true}); }),
              HasSubstr("no word occurs 5 times"));
}

TEST(CountWords, NamesTheDirectoryWhereNoTemporaryFileCanBeMade) {
  const TestCorpus corpus(random_text(3, 5000));
  const CountOptions options{.min_count = 1, .memory_bytes = 1, .temporary_directory = "/nowhere/at/all"};
  EXPECT_THAT(error_of([&] { count(corpus.source(), options); }), HasSubstr("/nowhere/at/all: No such file"));
}

TEST(CountWords, ReportsProgressAndEndsWhenThatThrows) {
  const TestCorpus corpus(random_text(4, 100000));
  WordSourceOptions source = corpus.source();
  source.block_bytes = 1000;
  ThreadPool pool(1);
  uint64_t last = 0;
  count_words(source, {.min_count = 1}, pool, [&](uint64_t bytes) {
    EXPECT_GT(bytes, last);
    last = bytes;
  });
  EXPECT_GE(last, 100000u);
  int calls = 0;
  const auto stop = [&](uint64_t) {
    if (++calls == 3) fail("stopped");
  };
  EXPECT_EQ(error_of([&] { count_words(source, {}, pool, stop); }), "stopped");
  EXPECT_EQ(calls, 3);
}

TEST(WordCounts, AddUpBeyondThirtyTwoBits) {
  ThreadPool pool(2);
  for (const uint64_t memory : {1, 1 << 20}) {
    WordCounts counts(2, memory, {});
    for (int i = 0; i < 1000; ++i) {
      counts.add(i % 2, WordKey::of("word"), uint64_t{1} << 32);
      counts.add(i % 2, WordKey::of("other" + std::to_string(i)), 1);
    }
    const WordCounts::Merged merged = counts.merge(2, pool);
    ASSERT_EQ(merged.entries.size(), 1u);
    EXPECT_EQ(merged.entries[0].word, "word");
    EXPECT_EQ(merged.entries[0].count, uint64_t{1000} << 32);
    EXPECT_EQ(merged.words, (uint64_t{1000} << 32) + 1000);
    EXPECT_EQ(merged.distinct, 1001u);
  }
}

TEST(WordMap, VisitsEachWordInOnePart) {
  WordMap map;
  std::map<std::string, uint64_t> expected;
  for (int i = 0; i < 5000; ++i) {
    const std::string word = std::string(static_cast<size_t>(i % 23), 'y') + std::to_string(i);
    map[WordKey::of(word)] = expected[word] = static_cast<uint64_t>(i) + 7;
  }
  for (const size_t parts : {1, 2, 64, 1024, 1 << 15}) {
    std::map<std::string, uint64_t> seen;
    size_t visits = 0;
    for (size_t part = 0; part < parts; ++part) {
      map.for_each_of_part(part, parts, [&](const WordMap::Entry& entry) {
        seen[std::string(entry.word())] = entry.value;
        ++visits;
      });
    }
    EXPECT_EQ(seen, expected) << parts;
    EXPECT_EQ(visits, expected.size()) << parts;
  }
  map.clear();
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.find(WordKey::of("0"))->size, 0u);
}

}  // namespace
}  // namespace sesame
