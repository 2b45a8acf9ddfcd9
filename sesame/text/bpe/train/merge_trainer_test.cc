#include "sesame/text/bpe/train/merge_trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/bpe/character_bpe_trainer.h"

namespace sesame {
namespace {

using Pair = std::pair<int32_t, int32_t>;
using Merges = std::vector<Pair>;

struct Corpus {
  std::vector<std::string> words;
  std::vector<uint64_t> counts;

  [[nodiscard]] std::vector<WordCount> view() const {
    std::vector<WordCount> view;
    for (size_t i = 0; i < words.size(); ++i) view.push_back({words[i], counts[i]});
    return view;
  }
};

/// Ids are byte values, and merges from 256 on.
BpeTrainerOptions options_of(BpeTie tie, int32_t merges, int threads = 1) {
  BpeTrainerOptions options;
  options.vocabulary_size = 256 + merges;
  options.min_frequency = 1;
  options.tie = tie;
  options.ids = BpeIds::tiktoken;
  options.one_id_per_token = tie == BpeTie::greatest_bytes;
  options.threads = threads;
  return options;
}

Merges learn(const Corpus& corpus, const BpeTrainerOptions& options) {
  Merges merges;
  for (const model::Merge& merge : learn_byte_level_bpe(corpus.view(), {}, options).merges)
    merges.emplace_back(merge.left, merge.right);
  return merges;
}

/// The slow twin: counts all pairs anew before every merge.
class Recounting {
 public:
  Recounting(const Corpus& corpus, BpeTie tie) : tie_(tie) {
    for (size_t i = 0; i < corpus.words.size(); ++i) {
      words_.emplace_back();
      for (const char c : corpus.words[i]) words_.back().push_back(static_cast<uint8_t>(c));
      counts_.push_back(static_cast<int64_t>(corpus.counts[i]));
    }
    for (int b = 0; b < 256; ++b) texts_.emplace_back(1, static_cast<char>(b));
  }

  Merges run(size_t merges) {
    Merges done;
    while (done.size() < merges && count()) {
      const Pair best = this->best();
      done.push_back(best);
      replace(best);
    }
    return done;
  }

 private:
  struct Found {
    int64_t count = 0;
    size_t first;  // in the order of the corpus
  };

  bool count() {
    found_.clear();
    size_t place = 0;
    for (size_t w = 0; w < words_.size(); ++w) {
      const std::vector<int32_t>& word = words_[w];
      size_t run = 0;
      for (size_t i = 0; i + 1 < word.size(); ++i) {
        run = i > 0 && word[i - 1] == word[i] ? run + 1 : 0;
        Found& pair = found_.try_emplace({word[i], word[i + 1]}, Found{0, place++}).first->second;
        const bool disjoint = tie_ == BpeTie::earliest_tokens && word[i] == word[i + 1];
        pair.count += disjoint && run % 2 == 1 ? 0 : counts_[w];
      }
    }
    return !found_.empty();
  }

  [[nodiscard]] bool before(const Pair& a, const Pair& b) const {
    const auto key = [](const Pair& p) {
      return std::tuple(std::max(p.first, p.second), std::min(p.first, p.second), -p.first);
    };
    switch (tie_) {
      case BpeTie::greatest_bytes:
        return std::pair(text(a.first), text(a.second)) > std::pair(text(b.first), text(b.second));
      case BpeTie::first_position:
        return found_.at(a).first < found_.at(b).first;
      case BpeTie::earliest_tokens:
        return key(a) < key(b);
      default:
        return a < b;
    }
  }

  [[nodiscard]] Pair best() const {
    auto best = found_.begin();
    for (auto pair = found_.begin(); pair != found_.end(); ++pair) {
      if (pair->second.count > best->second.count ||
          (pair->second.count == best->second.count && before(pair->first, best->first)))
        best = pair;
    }
    return best->first;
  }

  void replace(const Pair& pair) {
    const std::string merged = text(pair.first) + text(pair.second);
    auto id = static_cast<int32_t>(texts_.size());
    const auto known = std::find(texts_.begin(), texts_.end(), merged);
    if (tie_ == BpeTie::greatest_bytes && known != texts_.end()) {
      id = static_cast<int32_t>(known - texts_.begin());
    } else {
      texts_.push_back(merged);
    }
    for (std::vector<int32_t>& word : words_) {
      std::vector<int32_t> next;
      for (size_t i = 0; i < word.size(); ++i) {
        const bool joins = i + 1 < word.size() && word[i] == pair.first && word[i + 1] == pair.second;
        next.push_back(joins ? id : word[i]);
        i += joins ? 1 : 0;
      }
      word = next;
    }
  }

  [[nodiscard]] const std::string& text(int32_t id) const { return texts_[static_cast<size_t>(id)]; }

  BpeTie tie_;
  std::vector<std::vector<int32_t>> words_;
  std::vector<int64_t> counts_;
  std::vector<std::string> texts_;
  std::map<Pair, Found> found_;
};

Corpus random_corpus(std::mt19937& random, size_t most_words, int letters) {
  Corpus corpus;
  std::set<std::string> seen;
  const size_t words = 1 + random() % most_words;
  for (size_t i = 0; i < words; ++i) {
    std::string word;
    const size_t length = 1 + random() % 12;
    while (word.size() < length) {
      word.append(1 + (random() % 4 == 0 ? random() % 5 : 0),
                  static_cast<char>('a' + random() % static_cast<size_t>(letters)));
    }
    if (!seen.insert(word).second) continue;
    corpus.words.push_back(word);
    corpus.counts.push_back(1 + random() % 5);
  }
  return corpus;
}

TEST(MergeTrainer, EveryRuleFindsWhatRecountingFinds) {
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    const Corpus corpus = random_corpus(random, 40, 2 + round % 4);
    for (const BpeTie tie :
         {BpeTie::smallest_ids, BpeTie::greatest_bytes, BpeTie::first_position, BpeTie::earliest_tokens}) {
      const Merges merges = learn(corpus, options_of(tie, 30, 1 + round % 2));
      Merges expected = Recounting(corpus, tie).run(merges.size());
      ASSERT_EQ(merges, expected) << "rule " << static_cast<int>(tie) << ", round " << round;
      ASSERT_FALSE(merges.empty() && corpus.words.size() > 20);
    }
  }
}

TEST(MergeTrainer, TiesOfOneCorpusUnderEachRule) {
  const Corpus corpus{{"bbb", "aaa", "dddd", "cccc"}, {1, 1, 1, 1}};
  const auto first = [&](BpeTie tie) {
    std::string merges;
    for (const Pair& pair : learn(corpus, options_of(tie, 4))) merges += std::to_string(pair.first) + " ";
    return merges;
  };
  // c c and d d three times each, a a and b b twice; of disjoint pairs twice and once.
  EXPECT_EQ(first(BpeTie::smallest_ids), "99 100 97 98 ");
  EXPECT_EQ(first(BpeTie::greatest_bytes), "100 99 98 97 ");
  EXPECT_EQ(first(BpeTie::first_position), "100 99 98 97 ");
  EXPECT_EQ(first(BpeTie::earliest_tokens), "99 100 97 98 ");
}

TEST(MergeTrainer, CountsBeyondThirtyTwoBits) {
  const Corpus corpus{{"ab", "cd", "ce"}, {3'000'000'000, 2'000'000'000, 2'500'000'000}};
  EXPECT_EQ(learn(corpus, options_of(BpeTie::smallest_ids, 3)), (Merges{{'a', 'b'}, {'c', 'e'}, {'c', 'd'}}));
}

TEST(MergeTrainer, ATokenThatIsThereKeepsItsId) {
  // (a, b) makes the special token "ab", of id 0; where ids decide between ties, it comes first.
  const Corpus corpus{{"abc", "abx", "cab", "xc"}, {1, 1, 1, 2}};
  CharacterBpeOptions options;
  options.vocabulary_size = 8;
  options.special_tokens = {"ab"};
  const TrainedBpe trained = learn_character_bpe(corpus.view(), options);
  EXPECT_EQ(trained.tokens, (std::vector<std::string>{"ab", "a", "b", "c", "x", "xc", "abc", "abx"}));
}

TEST(MergeTrainer, PairsOfATokenThatIsThereAreAllTracked) {
  // With the suffix "b", an a that ends a word is "ab", which a and b make too. x and "ab" occur 60 times, and 60 times
  // more once (a, b) is merged: before (r, sb) then. The frequent word lets pairs below about 80 go untracked.
  const Corpus corpus{{"xa", "xabc", "abd", "rs", "uvwxyuvwxy"}, {60, 60, 500, 100, 1'000'000}};
  CharacterBpeOptions options;
  options.vocabulary_size = 60;
  options.end_of_word_suffix = "b";
  const std::vector<std::string> tokens = learn_character_bpe(corpus.view(), options).tokens;
  const auto place = [&](const char* token) { return std::find(tokens.begin(), tokens.end(), token) - tokens.begin(); };
  EXPECT_LT(place("xab"), place("rsb"));
  EXPECT_LT(place("rsb"), static_cast<std::ptrdiff_t>(tokens.size()));
}

TEST(MergeTrainer, TokensStayShort) {
  const Corpus corpus{{"abababab", "xyz"}, {5, 3}};
  BpeTrainerOptions options = options_of(BpeTie::smallest_ids, 20);
  options.max_token_length = 4;  // so that 3 is the longest
  for (const std::string& token : learn_byte_level_bpe(corpus.view(), {}, options).tokens) EXPECT_LE(token.size(), 3u);
}

/// Enough text for several threads to take part in a merge, with symbols so rare that only one of them meets them, and
/// pairs so rare that they are not tracked at first.
Corpus large_corpus() {
  std::mt19937 random(8);
  Corpus corpus;
  for (int i = 0; i < 40000; ++i) {
    std::string word;
    const size_t length = 2 + random() % 9;
    while (word.size() < length) {
      const double falling = std::pow(200.0, static_cast<double>(random() % 10000) / 10000.0);
      word += static_cast<char>(random() % 3 == 0 ? 32 + static_cast<int>(falling) : 'a' + random() % 2);
    }
    corpus.words.push_back(word);
    corpus.counts.push_back(1 + 20000 / (1 + random() % 20000));
  }
  return corpus;
}

TEST(MergeTrainer, ThreadsChangeNothing) {
  const Corpus corpus = large_corpus();
  for (const BpeTie tie : {BpeTie::smallest_ids, BpeTie::first_position, BpeTie::earliest_tokens}) {
    const Merges one = learn(corpus, options_of(tie, 700, 1));
    EXPECT_EQ(learn(corpus, options_of(tie, 700, 2)), one);
    EXPECT_EQ(learn(corpus, options_of(tie, 700, 3)), one);
  }
}

TEST(MergeTrainer, RarePairsAreFoundWhenTheirTurnComes) {
  Corpus corpus{{"abcdefgh", "ijklmnop"}, {1'000'000'000, 2}};
  const Merges merges = learn(corpus, options_of(BpeTie::smallest_ids, 14));
  EXPECT_EQ(merges, Recounting(corpus, BpeTie::smallest_ids).run(14));
  EXPECT_EQ(merges.size(), 14u);
}

}  // namespace
}  // namespace sesame
