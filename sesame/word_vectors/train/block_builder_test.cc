#include "sesame/word_vectors/train/block_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "sesame/word_vectors/train/chi_square.h"

namespace sesame {
namespace {

Vocabulary numbered_words(const std::vector<uint64_t>& counts) {
  std::vector<std::string> names;
  for (size_t i = 0; i < counts.size(); ++i) names.push_back("w" + std::to_string(i));
  std::vector<Vocabulary::Entry> entries;
  for (size_t i = 0; i < counts.size(); ++i) entries.push_back({names[i], counts[i]});
  return Vocabulary::in_order(entries);
}

IdChunk chunk_of(std::vector<int32_t> ids, int64_t index = 0) {
  IdChunk chunk;
  chunk.index = index;
  chunk.words = static_cast<uint64_t>(std::count_if(ids.begin(), ids.end(), [](int32_t id) { return id >= 0; }));
  chunk.ids = std::move(ids);
  return chunk;
}

/// Words drawn evenly; `ends`: how many words there are for one sentence end, 0: none.
IdChunk random_chunk(int32_t vocabulary, size_t words, uint64_t ends, int64_t index = 0) {
  ChunkRandom random(99, 0, index);
  std::vector<int32_t> ids;
  while (ids.size() < words) {
    ids.push_back(static_cast<int32_t>(random.next() % static_cast<uint64_t>(vocabulary)));
    if (ends > 0 && random.next() % ends == 0) ids.push_back(IdChunk::kSentenceEnd);
  }
  return chunk_of(std::move(ids), index);
}

VectorOptions all_words() {
  VectorOptions options;
  options.sample = 0;
  return options;
}

struct Fixture {
  VectorOptions options;
  Vocabulary vocabulary;
  BlockSamplers samplers;
  BlockBuilder builder;

  Fixture(const VectorOptions& o, const std::vector<uint64_t>& counts)
      : options(resolved(o)),
        vocabulary(numbered_words(counts)),
        samplers(options, vocabulary),
        builder(options, samplers) {}
};

/// What the weights mean, pair by pair.
std::vector<float> weights_by_hand(const VectorOptions& options, const BlockPlan& plan) {
  const float share = static_cast<float>(options.negative) / static_cast<float>(options.shared_negatives);
  const size_t negatives = plan.negatives.size();
  const bool skipgram = options.architecture == Architecture::skipgram;
  std::vector<int> uses((skipgram ? plan.inputs.size() : plan.centres.size()) * negatives);
  for (size_t c = 0; c < plan.centres.size(); ++c) {
    const ContextWindow& centre = plan.centres[c];
    for (int32_t i = centre.first; i < centre.last; ++i) {
      if (i == centre.self) continue;
      for (size_t n = 0; n < negatives; ++n) {
        const bool other = plan.negatives[n] != plan.inputs[static_cast<size_t>(centre.self)];
        if (skipgram) {
          uses[static_cast<size_t>(i) * negatives + n] += other ? 1 : 0;
        } else {
          uses[c * negatives + n] = other ? 1 : 0;
        }
      }
    }
  }
  std::vector<float> weights;
  for (const int use : uses) weights.push_back(share * static_cast<float>(use));
  return weights;
}

TEST(BlockBuilder, WeightsAreTheSumsOverPairs) {
  for (const Architecture architecture : {Architecture::skipgram, Architecture::cbow}) {
    for (const auto& [block, shared] : {std::pair(16, 16), std::pair(1, 5), std::pair(64, 64), std::pair(7, 3)}) {
      VectorOptions options = all_words();
      options.architecture = architecture;
      options.block = block;
      options.shared_negatives = shared;
      Fixture f(options, {40, 30, 20, 10, 5});
      f.builder.begin(random_chunk(5, 2000, 9), 0);
      BlockPlan plan;
      while (f.builder.next(plan)) {
        ASSERT_EQ(plan.negatives.size(), static_cast<size_t>(shared));
        ASSERT_EQ(plan.weights, weights_by_hand(options, plan));
        ASSERT_EQ(plan.targets.size(), plan.centres.size());
      }
    }
  }
}

/// The sentences that the centres of a chunk make up: all of two words and more, in order, and nothing else.
TEST(BlockBuilder, EveryWordIsACentreOnceAndWindowsStayInItsSentence) {
  for (const int64_t block : {1, 3, 16, 64}) {
    for (const int64_t window : {1, 5, 64}) {
      VectorOptions options = all_words();
      options.block = block;
      options.window = window;
      Fixture f(options, std::vector<uint64_t>(50, 1));
      const IdChunk chunk = random_chunk(50, 3000, 6);
      std::vector<int32_t> kept, sentence_of, sentence;
      int32_t sentences = 0;
      const auto end = [&] {
        if (sentence.size() >= 2) {
          kept.insert(kept.end(), sentence.begin(), sentence.end());
          sentence_of.insert(sentence_of.end(), sentence.size(), sentences++);
        }
        sentence.clear();
      };
      for (const int32_t id : chunk.ids) id < 0 ? end() : sentence.push_back(id);
      end();

      f.builder.begin(chunk, 0);
      ASSERT_EQ(f.builder.kept(), static_cast<int64_t>(kept.size()));
      BlockPlan plan;
      int64_t place = 0;
      while (f.builder.next(plan)) {
        ASSERT_LE(plan.inputs.size(), static_cast<size_t>(Block::kMaxInputs));
        ASSERT_EQ(plan.centres.size(), static_cast<size_t>(std::min<int64_t>(block, f.builder.kept() - place)));
        int32_t first = plan.centres[0].first, last = 0;
        for (size_t c = 0; c < plan.centres.size(); ++c, ++place) {
          const ContextWindow& centre = plan.centres[c];
          ASSERT_EQ(plan.first + centre.self, place);
          ASSERT_GE(centre.size(), 1);
          ASSERT_LE(std::max(centre.self - centre.first, centre.last - 1 - centre.self), window);
          first = std::min(first, centre.first);
          last = std::max(last, centre.last);
          ASSERT_EQ(sentence_of[static_cast<size_t>(plan.first + centre.first)],
                    sentence_of[static_cast<size_t>(place)]);
          ASSERT_EQ(sentence_of[static_cast<size_t>(plan.first + centre.last - 1)],
                    sentence_of[static_cast<size_t>(place)]);
          ASSERT_EQ(plan.target_rows[c], kept[static_cast<size_t>(place)]);
        }
        EXPECT_EQ(first, 0);
        EXPECT_EQ(last, static_cast<int32_t>(plan.inputs.size()));
        for (size_t i = 0; i < plan.inputs.size(); ++i) {
          ASSERT_EQ(plan.inputs[i], kept[static_cast<size_t>(plan.first) + i]);
        }
      }
      EXPECT_EQ(place, f.builder.kept());
    }
  }
}

/// Pairs and the weight of noise words over a long text without sentence ends.
struct Totals {
  double centres = 0;
  double pairs = 0;
  double noise = 0;                // by weight, times the pairs of a centre with targets of label 0
  std::vector<double> noise_rows;  // the same by word
};

Totals totals_of(Fixture& f, int chunks) {
  Totals totals;
  totals.noise_rows.resize(static_cast<size_t>(f.vocabulary.size()));
  BlockPlan plan;
  for (int64_t index = 0; index < chunks; ++index) {
    f.builder.begin(random_chunk(f.vocabulary.size(), 30'000, 0, index), 0);
    while (f.builder.next(plan)) {
      for (const ContextWindow& centre : plan.centres) {
        totals.centres += 1;
        totals.pairs += centre.size();
      }
      const auto add = [&](int32_t row, double weight) {
        totals.noise += weight;
        totals.noise_rows[static_cast<size_t>(row)] += weight;
      };
      for (size_t t = 0; t < plan.targets.size(); ++t) {
        const BlockTarget& target = plan.targets[t];
        if (target.label == 0) add(plan.target_rows[t], plan.centres[static_cast<size_t>(target.centre)].size());
      }
      for (size_t w = 0; w < plan.weights.size() && !plan.negatives.empty(); ++w) {
        add(plan.negatives[w % plan.negatives.size()], plan.weights[w]);
      }
    }
  }
  return totals;
}

TEST(BlockBuilder, SixPairsACentreAndFiveNoiseWordsAPair) {
  const std::vector<uint64_t> counts(200, 7);
  for (const auto& [block, shared] : {std::pair(16, 16), std::pair(16, 0), std::pair(1, 0), std::pair(32, 8)}) {
    VectorOptions options = all_words();
    options.block = block;
    options.shared_negatives = shared;
    Fixture f(options, counts);
    const Totals totals = totals_of(f, 4);
    // The mean of 2b over b = 1..5 is 6, its deviation 2.83: over 120,000 centres 0.008.
    EXPECT_NEAR(totals.pairs / totals.centres, 6, 0.04) << block << " " << shared;
    // A draw is the target itself once in 200 times.
    EXPECT_NEAR(totals.noise / totals.pairs, 5 * (1 - 1 / 200.0), 0.01) << block << " " << shared;
  }
}

TEST(BlockBuilder, NoiseFollowsThePowerOfTheCounts) {
  const std::vector<uint64_t> counts{10'000, 1000, 100, 10};
  for (const int64_t shared : {0, 16}) {
    VectorOptions options = all_words();
    options.shared_negatives = shared;
    Fixture f(options, counts);
    const Totals totals = totals_of(f, 4);
    // Centres are each word equally often here, and a word is never its own noise: the share of every word is
    // p * 3 / 4 before division by the sum.
    const std::array<double, 4> p{1000, 177.83, 31.623, 5.6234};
    for (size_t w = 0; w < 4; ++w) {
      EXPECT_NEAR(totals.noise_rows[w] / totals.noise, p[w] / (1000 + 177.83 + 31.623 + 5.6234), 0.01) << w;
    }
  }
}

TEST(BlockBuilder, FixedWindowsAreFull) {
  VectorOptions options = all_words();
  options.fixed_window = true;
  Fixture f(options, std::vector<uint64_t>(20, 1));
  const Totals totals = totals_of(f, 1);
  EXPECT_EQ(totals.pairs, 30'000 * 10 - 2 * (1 + 2 + 3 + 4 + 5));
}

TEST(BlockBuilder, SubsamplingComesBeforeWindows) {
  VectorOptions options;
  options.sample = 1e-2;
  options.fixed_window = true;
  options.window = 1;
  Fixture f(options, {9'000, 1'000});
  std::vector<int32_t> ids;
  for (int i = 0; i < 30'000; ++i) ids.push_back(i % 10 == 0 ? 1 : 0);
  f.builder.begin(chunk_of(ids), 0);
  std::map<int32_t, uint64_t> kept;
  double neighbours = 0, pairs = 0;
  BlockPlan plan;
  while (f.builder.next(plan)) {
    for (const ContextWindow& centre : plan.centres) {
      const int32_t word = plan.inputs[static_cast<size_t>(centre.self)];
      ++kept[word];
      for (int32_t i = centre.first; i < centre.last && word == 1; ++i) {
        if (i == centre.self) continue;
        pairs += 1;
        neighbours += plan.inputs[static_cast<size_t>(i)] == 1 ? 1 : 0;
      }
    }
  }
  const double p0 = keep_probability(9'000, 10'000, 1e-2, SubsamplingRule::code);
  const double p1 = keep_probability(1'000, 10'000, 1e-2, SubsamplingRule::code);
  const std::vector<uint64_t> observed{kept[0], kept[1]};
  EXPECT_LT(chi_square_deviation(observed, std::vector<double>{27'000 * p0, 3'000 * p1}), 5);
  // Word 1 stands alone among nine others. Where they are dropped, it meets itself: the chance is that of no other
  // being kept in between, times its own.
  const double none = std::pow(1 - p0, 9);
  EXPECT_NEAR(neighbours / pairs, none * p1 / (1 - none * (1 - p1)), 0.05);
  EXPECT_GT(neighbours, 0);
}

TEST(BlockBuilder, TargetsOfHierarchicalSoftmaxAreThePath) {
  VectorOptions options = all_words();
  options.loss = VectorLoss::hierarchical_softmax;
  Fixture f(options, {4, 3, 2, 1});
  f.builder.begin(chunk_of({0, 1, 2, 3}), 0);
  BlockPlan plan;
  ASSERT_TRUE(f.builder.next(plan));
  std::string targets;
  for (size_t t = 0; t < plan.targets.size(); ++t) {
    targets += std::to_string(plan.targets[t].centre) + ":" + std::to_string(plan.target_rows[t]) +
               (plan.targets[t].label == 1 ? "+ " : "- ");
  }
  // Codes 0, 11, 101, 100 from the root, node 2; the label is 1 where the code is 0.
  EXPECT_EQ(targets, "0:2+ 1:2- 1:1- 2:2- 2:1+ 2:0- 3:2- 3:1+ 3:0+ ");
  EXPECT_TRUE(plan.negatives.empty());
}

std::vector<int32_t> drawn(BlockBuilder& builder, const IdChunk& chunk, int64_t epoch) {
  std::vector<int32_t> all;
  builder.begin(chunk, epoch);
  BlockPlan plan;
  while (builder.next(plan)) {
    for (const ContextWindow& centre : plan.centres) all.insert(all.end(), {centre.first, centre.last, centre.self});
    all.insert(all.end(), plan.negatives.begin(), plan.negatives.end());
  }
  return all;
}

TEST(BlockBuilder, DrawsDependOnSeedEpochAndChunkAlone) {
  VectorOptions options;
  options.sample = 1e-2;
  const std::vector<uint64_t> counts(100, 3);
  Fixture a(options, counts), b(options, counts);
  const IdChunk chunk = random_chunk(100, 5000, 20, 3);
  const auto once = drawn(a.builder, chunk, 2);
  drawn(b.builder, random_chunk(100, 700, 5, 8), 1);  // whatever came before
  EXPECT_EQ(drawn(b.builder, chunk, 2), once);
  EXPECT_NE(drawn(b.builder, chunk, 3), once);
  IdChunk other = chunk;
  other.index = 4;
  EXPECT_NE(drawn(b.builder, other, 2), once);
  options.seed = 2;
  Fixture c(options, counts);
  EXPECT_NE(drawn(c.builder, chunk, 2), once);
}

TEST(BlockBuilder, ChunksWithoutPairs) {
  Fixture f(all_words(), {5, 5});
  BlockPlan plan;
  constexpr int32_t kEnd = IdChunk::kSentenceEnd;
  for (const auto& ids : std::vector<std::vector<int32_t>>{{}, {kEnd}, {0}, {kEnd, kEnd, 1, kEnd, 0, kEnd}}) {
    f.builder.begin(chunk_of(ids), 0);
    EXPECT_EQ(f.builder.kept(), 0);
    EXPECT_FALSE(f.builder.next(plan));
  }
  f.builder.begin(chunk_of({kEnd, 0, kEnd, 1, 0, kEnd, kEnd, 1}), 0);
  ASSERT_TRUE(f.builder.next(plan));
  EXPECT_EQ(plan.centres.size(), 2u);
  EXPECT_FALSE(f.builder.next(plan));
}

TEST(BlockBuilder, EndOfSentenceIsNoNoise) {
  const Vocabulary vocabulary = Vocabulary::in_order({{"</s>", 1'000'000}, {"a", 3}, {"b", 2}});
  const BlockSamplers samplers(all_words(), vocabulary);
  ChunkRandom random(1, 0, 0);
  for (int i = 0; i < 10'000; ++i) EXPECT_NE(samplers.noise.draw(random.next()), 0);
}

}  // namespace
}  // namespace sesame
