#include "sesame/text/bpe/bpe_trainer.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/files/json_cursor.h"

namespace sesame {
namespace {

using Spellings = std::vector<std::string>;

/// The tokens that merges made, in order.
Spellings merged_tokens(const Tokenizer& tokenizer, int32_t specials) {
  Spellings tokens;
  for (int32_t id = specials + 256; id < tokenizer.vocabulary_size(); ++id) tokens.emplace_back(tokenizer.token(id));
  return tokens;
}

Spellings merges_of(const Tokenizer& tokenizer) {
  Spellings merges;
  const std::string json = tokenizer.to_json();
  visit_json(json, "test", [&](const JsonCursor& root) {
    const JsonCursor model = root.at("model");
    model.at("merges").for_each_item([&](const JsonCursor& merge) { merges.emplace_back(merge.string()); });
  });
  return merges;
}

Tokenizer train(const std::vector<std::string>& documents, int32_t vocabulary, BpeTie tie = BpeTie::smallest_ids,
                int threads = 1, int64_t min_frequency = 1) {
  WordCounter words(SplitPattern::gpt2, {"<|endoftext|>"}, threads);
  for (const std::string& document : documents) words.add(document);
  BpeTrainerOptions options;
  options.vocabulary_size = vocabulary;
  options.tie = tie;
  options.min_frequency = min_frequency;
  return train_byte_level_bpe(words, options);
}

/// The slow twin: counts all pairs again before every merge. Pairs are of bytes; ids only break ties.
Spellings train_by_recounting(const std::map<std::string, int64_t>& words, size_t merges, BpeTie tie) {
  std::vector<std::pair<std::vector<std::string>, int64_t>> split_words;
  for (const auto& [word, count] : words) {
    std::vector<std::string> symbols;
    for (const char c : word) symbols.emplace_back(1, c);
    split_words.emplace_back(symbols, count);
  }
  std::map<std::string, int> ids;
  for (int b = 0; b < 256; ++b) {
    const auto byte = static_cast<uint8_t>(b);
    ids[std::string(1, static_cast<char>(byte))] = static_cast<int>(byte_to_code_point(byte));
  }
  Spellings result;
  using Pair = std::pair<std::string, std::string>;
  const auto before = [&](const Pair& a, const Pair& b) {
    if (tie == BpeTie::greatest_bytes) return a > b;
    return std::pair(ids[a.first], ids[a.second]) < std::pair(ids[b.first], ids[b.second]);
  };
  for (size_t m = 0; m < merges; ++m) {
    std::map<Pair, int64_t> counts;
    for (const auto& [symbols, count] : split_words) {
      for (size_t i = 0; i + 1 < symbols.size(); ++i) counts[{symbols[i], symbols[i + 1]}] += count;
    }
    if (counts.empty()) break;
    auto best = counts.begin();
    for (auto pair = counts.begin(); pair != counts.end(); ++pair) {
      if (pair->second > best->second || (pair->second == best->second && before(pair->first, best->first)))
        best = pair;
    }
    const auto [left, right] = best->first;
    result.push_back(spell_bytes(left) + " " + spell_bytes(right));
    ids.emplace(left + right, 1000 + static_cast<int>(m));
    for (auto& [symbols, count] : split_words) {
      std::vector<std::string> merged;
      for (size_t i = 0; i < symbols.size(); ++i) {
        const bool joins = i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right;
        merged.push_back(joins ? left + right : symbols[i]);
        i += joins ? 1 : 0;
      }
      symbols = merged;
    }
  }
  return result;
}

TEST(BpeTrainer, MostFrequentPairFirst) {
  // Sennrich et al. 2016, figure 1's corpus; "es", "est" (9 each), then "lo", "low" (7 each), under the rule for ties.
  std::string text;
  for (const auto& [word, count] : {std::pair("low", 5), {"lower", 2}, {"newest", 6}, {"widest", 3}}) {
    for (int i = 0; i < count; ++i) text += std::string(word) + "\n";
  }
  EXPECT_EQ(merges_of(train({text}, 257 + 4)), (Spellings{"e s", "es t", "l o", "lo w"}));
}

TEST(BpeTrainer, TiesFollowTheRule) {
  // Four pairs, each once: ids order as code points, bytes compare from the greatest.
  EXPECT_EQ(merges_of(train({"ba\ndc\nfe\nhg"}, 257 + 4)), (Spellings{"b a", "d c", "f e", "h g"}));
  EXPECT_EQ(merges_of(train({"ba\ndc\nfe\nhg"}, 257 + 4, BpeTie::greatest_bytes)),
            (Spellings{"h g", "f e", "d c", "b a"}));
}

TEST(BpeTrainer, OverlappingPairsCountTwice) {
  // "aaa" holds a pair twice, as Hugging Face counts: 2 against 1 for "bc".
  EXPECT_EQ(merges_of(train({"aaa\nbc"}, 257 + 1)), (Spellings{"a a"}));
  EXPECT_EQ(merges_of(train({"bc\nbc\naaa"}, 257 + 2)), (Spellings{"a a", "b c"}));
}

TEST(BpeTrainer, AgreesWithRecounting) {
  std::mt19937 random(3);
  for (int round = 0; round < 60; ++round) {
    std::map<std::string, int64_t> words;
    std::string text;
    const size_t count = 1 + random() % 30;
    for (size_t i = 0; i < count; ++i) {
      std::string word;
      const size_t length = 1 + random() % 9;
      for (size_t k = 0; k < length; ++k) word += static_cast<char>('a' + random() % 3);
      ++words[word];
      text += word + "\n";
    }
    words["\n"] = 1;
    for (const BpeTie tie : {BpeTie::smallest_ids, BpeTie::greatest_bytes}) {
      const Spellings merges = merges_of(train({text}, 257 + 40, tie));
      const Spellings expected = train_by_recounting(words, merges.size(), tie);
      ASSERT_EQ(merges, expected) << text;
    }
  }
}

TEST(BpeTrainer, StopsAtMinFrequency) {
  EXPECT_EQ(merged_tokens(train({"ab\nab\ncd"}, 300, BpeTie::smallest_ids, 1, 2), 1), (Spellings{"ab"}));
}

TEST(BpeTrainer, IdsAreSpecialsThenBytesThenMerges) {
  const Tokenizer tokenizer = train({"the the the"}, 300);
  EXPECT_EQ(tokenizer.token(0), "<|endoftext|>");
  EXPECT_TRUE(tokenizer.is_special(0));
  EXPECT_EQ(tokenizer.end_of_text(), 0);
  EXPECT_EQ(tokenizer.token(1), "!");
  EXPECT_EQ(tokenizer.token_bytes(256), "\xAD");
  EXPECT_GT(tokenizer.vocabulary_size(), 257);
}

TEST(BpeTrainer, SpecialTokensInTheTextSeparateDocuments) {
  const Tokenizer with = train({"ab<|endoftext|>cd<|endoftext|>ab"}, 300);
  const Tokenizer without = train({"ab", "cd", "ab"}, 300);
  EXPECT_EQ(with.to_json(), without.to_json());
}

TEST(BpeTrainer, ThreadsAndBatchesChangeNothing) {
  std::mt19937 random(4);
  std::string text;
  while (text.size() < (9u << 20)) {  // more than one batch and many shares
    std::string line = "W";
    for (int i = 0; i < 12; ++i)
      line += std::string(1, static_cast<char>('a' + random() % 8)) + (i % 3 == 0 ? " " : "");
    text += line + (random() % 2 == 0 ? "\n" : "\n\n  ");
  }
  const std::string one = train({text}, 600, BpeTie::smallest_ids, 1).to_json();
  EXPECT_EQ(train({text}, 600, BpeTie::smallest_ids, 2).to_json(), one);
  EXPECT_EQ(train({text}, 600, BpeTie::smallest_ids, 5).to_json(), one);
}

TEST(BpeTrainer, RefusesWhatCannotBe) {
  EXPECT_THROW(train({"abc"}, 256), Error);
  EXPECT_THROW(train({}, 300), Error);
  EXPECT_THROW(train({"", "<|endoftext|>"}, 300), Error);
}

TEST(BpeTrainer, LongRunsAreNoTrap) {
  const Tokenizer tokenizer = train({std::string(1'000'000, 'a')}, 280);
  EXPECT_EQ(tokenizer.token(257), "aa");
  EXPECT_EQ(tokenizer.token(258), "aaaa");
}

// The reference merges of Stanford CS336's first assignment: ties by greatest bytes, special token first.
TEST(BpeTrainer, ReferenceMergesOfCs336) {
  const auto corpus = shared_data("tokenizers/bpe-train-reference/corpus.en");
  const auto reference = shared_data("tokenizers/bpe-train-reference/train-bpe-reference-merges.txt");
  if (!corpus || !reference) GTEST_SKIP() << "no shared data";
  const Tokenizer tokenizer = train({read_file(*corpus)}, 500, BpeTie::greatest_bytes);
  Spellings expected;
  std::istringstream lines(read_file(*reference));
  for (std::string line; std::getline(lines, line);) expected.push_back(line);
  EXPECT_EQ(merges_of(tokenizer), expected);
  EXPECT_EQ(expected.size(), 243u);
}

}  // namespace
}  // namespace sesame
