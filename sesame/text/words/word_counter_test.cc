#include "sesame/text/words/word_counter.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/counts_file.h"

namespace sesame {
namespace {

using Counts = std::map<std::string, uint64_t>;

Counts counts_of(const WordCounter& words) {
  Counts counts;
  std::string last;
  for (const WordCount& count : words.counts()) {
    EXPECT_TRUE(counts.empty() || last < count.word) << "not sorted at " << count.word;
    last = count.word;
    counts[last] = count.count;
  }
  return counts;
}

WordCounterOptions options_of(int threads, uint64_t memory_bytes) {
  WordCounterOptions options;
  options.threads = threads;
  options.memory_bytes = memory_bytes;
  return options;
}

std::string many_words() {
  std::string text;
  for (int i = 0; text.size() < (700u << 10); ++i) {
    text += "line" + std::to_string(i % 9770) + " and  more\n" + (i % 3 == 0 ? "\n" : "");
    if (i % 100 == 0) text += " " + std::string(static_cast<size_t>(i % 90), 'x') + std::to_string(i);
  }
  return text;
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
  EXPECT_EQ(words.documents(), 5u);
}

TEST(WordCounter, ThreadsAndMemoryChangeNothing) {
  const std::string text = many_words();
  Counts expected;
  split(SplitPattern::gpt2, text, 0, text.size(), [&](std::string_view word) { ++expected[std::string(word)]; });
  for (const int threads : {1, 2, 3}) {
    for (const uint64_t memory : {uint64_t{1}, uint64_t{200} << 10, uint64_t{1} << 30}) {
      WordCounter words(SplitPattern::gpt2, options_of(threads, memory));
      words.add(text);
      EXPECT_EQ(counts_of(words), expected) << threads << " threads, " << memory << " bytes";
      words.add("again");
      EXPECT_EQ(counts_of(words).at("again"), 1u);
      EXPECT_EQ(counts_of(words).size(), expected.size() + 1);
    }
  }
}

TEST(WordCounter, KeepsTheOrderOfFirstOccurrence) {
  WordCounterOptions options;
  options.keep_order = true;
  WordCounter words(SplitPattern::gpt2, options);
  words.add("z y");
  words.add("b z y");
  std::string seen;
  for (const WordCount& word : words.counts()) seen += std::string(word.word) + std::to_string(word.count) + ",";
  EXPECT_EQ(seen, "z1, y2,b1, z1,");
}

TEST(WordCounter, CountsWhatAPipelineMakes) {
  TokenizerSpec spec;
  spec.normalizers.emplace_back(normalizer::Lowercase{});
  spec.pre_tokenizers.emplace_back(pre_tokenizer::Metaspace{});
  WordCounter words(words_of_pipeline(spec, "test"), "lower case, Metaspace", options_of(2, 1 << 20));
  words.add("The the<|endoftext|>CAT the");
  EXPECT_EQ(counts_of(words), (Counts{{"\u2581the", 3}, {"\u2581cat", 1}}));
}

TEST(WordCounter, GoesOnFromSavedCounts) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "words";
  const std::string text = many_words();
  for (const uint64_t memory : {uint64_t{1} << 10, uint64_t{1} << 30}) {
    WordCounter first(SplitPattern::gpt2, options_of(2, memory));
    first.add(text);
    first.save(path);
    first.add(" more");
    WordCounter second(SplitPattern::gpt2, options_of(1, memory));
    second.load(path);
    second.add(" more");
    EXPECT_EQ(counts_of(second), counts_of(first));
    EXPECT_EQ(second.bytes(), first.bytes());
    EXPECT_EQ(second.documents(), 2u);
  }
}

TEST(WordCounter, RefusesCountsOfOtherWords) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "words";
  WordCounter words(SplitPattern::gpt2, {"<s>"}, 1);
  words.add("a b");
  words.save(path);
  WordCounter other_pattern(SplitPattern::cl100k, {"<s>"}, 1);
  EXPECT_NE(error_of([&] { other_pattern.load(path); }).find("count the text again"), std::string::npos);
  WordCounter other_tokens(SplitPattern::gpt2, {"</s>"}, 1);
  EXPECT_NE(error_of([&] { other_tokens.load(path); }).find("count the text again"), std::string::npos);
  EXPECT_TRUE(other_tokens.counts().empty());
  EXPECT_EQ(other_tokens.bytes(), 0u);
}

TEST(CountsFile, EveryDamageIsSeen) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory.path() / "words";
  write_counts(path, {"by", 7, 2}, [](EmitCount emit) {
    emit("word", 3'000'000'000);
    emit("", 1);
  });
  const std::string good = read_file(path);
  std::string seen;
  const auto read = [&] {
    seen.clear();
    read_counts(
        path, [&](const CountsHeader& h) { seen += h.cut_by + std::to_string(h.bytes) + std::to_string(h.documents); },
        [&](std::string_view word, uint64_t count) { seen += "|" + std::string(word) + std::to_string(count); });
  };
  read();
  EXPECT_EQ(seen, "by72|word3000000000|1");
  for (size_t i = 0; i < good.size(); ++i) {
    write_file_atomically(path, good.substr(0, i));
    EXPECT_NE(error_of(read), "no error") << "cut at " << i;
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    write_file_atomically(path, bad);
    EXPECT_NE(error_of(read), "no error") << "changed at " << i;
    EXPECT_EQ(seen, "") << "used before it was checked";
  }
}

}  // namespace
}  // namespace sesame
