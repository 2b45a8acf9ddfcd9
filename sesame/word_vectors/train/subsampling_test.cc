#include "sesame/word_vectors/train/subsampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "sesame/word_vectors/train/chi_square.h"
#include "sesame/word_vectors/train/chunk_random.h"

namespace sesame {
namespace {

TEST(Subsampling, ProbabilitiesAreThoseOfTheTwoRules) {
  // A word that is 6 % of the text, as "the" is: sqrt(1e-4 / 0.06) = 0.040825, and 1e-4 / 0.06 = 0.001667 more by code.
  EXPECT_NEAR(keep_probability(6, 100, 1e-4, SubsamplingRule::paper), 0.040825, 1e-6);
  EXPECT_NEAR(keep_probability(6, 100, 1e-4, SubsamplingRule::code), 0.042492, 1e-6);
  // Kept always from f = s on by the paper, from s / 0.618^2 on by the code.
  EXPECT_EQ(keep_probability(100, 1'000'000, 1e-4, SubsamplingRule::paper), 1);
  EXPECT_EQ(keep_probability(261, 1'000'000, 1e-4, SubsamplingRule::code), 1);
  EXPECT_LT(keep_probability(263, 1'000'000, 1e-4, SubsamplingRule::code), 1);
  EXPECT_EQ(keep_probability(1, 1, 0, SubsamplingRule::code), 1);
  EXPECT_EQ(keep_probability(0, 0, 1e-4, SubsamplingRule::paper), 1);
}

TEST(Subsampling, KeepsThatManyOccurrences) {
  constexpr int kTrials = 1'000'000;
  const std::vector<uint64_t> counts{600'000, 250'000, 100'000, 40'000, 9'000, 999, 1};
  const uint64_t total = 1'000'000;
  for (const SubsamplingRule rule : {SubsamplingRule::code, SubsamplingRule::paper}) {
    const Subsampling subsampling(counts, 1e-3, rule);
    for (int32_t word = 0; word < 7; ++word) {
      ChunkRandom random(static_cast<uint64_t>(word), 1, 2);
      uint64_t kept = 0;
      for (int i = 0; i < kTrials; ++i) kept += subsampling.keeps(word, random.next32()) ? 1 : 0;
      const double p = keep_probability(counts[static_cast<size_t>(word)], total, 1e-3, rule);
      const std::vector<uint64_t> observed{kept, kTrials - kept};
      EXPECT_LT(chi_square_deviation(observed, std::vector<double>{kTrials * p, kTrials * (1 - p)}), 5) << word;
      if (p == 1) continue;
      EXPECT_GT(chi_square_deviation(observed, std::vector<double>{kTrials * p * 1.03, kTrials * (1 - 1.03 * p)}), 5);
    }
  }
}

TEST(Subsampling, ACertainWordIsKeptWhateverTheBits) {
  const Subsampling all(std::vector<uint64_t>{5, 1}, 0, SubsamplingRule::code);
  for (const uint32_t bits : {0u, 1u, 0x80000000u, 0xFFFFFFFFu}) EXPECT_TRUE(all.keeps(0, bits) && all.keeps(1, bits));
  const Subsampling hardly(std::vector<uint64_t>{1'000'000}, 1e-30, SubsamplingRule::paper);
  EXPECT_FALSE(hardly.keeps(0, 0x80000000u));
}

TEST(DynamicWindow, IsUniform) {
  for (const int32_t window : {1, 2, 5, 8, 64}) {
    std::vector<uint64_t> observed(static_cast<size_t>(window) + 2);
    ChunkRandom random(1, 2, 3);
    constexpr int kDraws = 200'000;
    for (int i = 0; i < kDraws; ++i) ++observed.at(static_cast<size_t>(draw_window(random, window)));
    std::vector<double> expected(observed.size(), static_cast<double>(kDraws) / window);
    expected.front() = expected.back() = 0;
    if (window > 1) {
      EXPECT_LT(chi_square_deviation(observed, expected), 5) << window;
    } else {
      EXPECT_EQ(observed[1], uint64_t{kDraws});
    }
  }
}

TEST(ChunkRandom, StreamsOfNeighboursDiffer) {
  std::vector<uint64_t> firsts;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    for (int64_t epoch = 0; epoch < 4; ++epoch) {
      for (int64_t chunk = 0; chunk < 64; ++chunk) firsts.push_back(ChunkRandom(seed, epoch, chunk).next());
    }
  }
  std::vector<uint64_t> bits(64);
  for (const uint64_t first : firsts) {
    for (size_t b = 0; b < 64; ++b) bits[b] += first >> b & 1;
  }
  for (const uint64_t ones : bits) EXPECT_NEAR(static_cast<double>(ones), 512, 5 * 16);
  std::sort(firsts.begin(), firsts.end());
  EXPECT_EQ(std::adjacent_find(firsts.begin(), firsts.end()), firsts.end());
}

}  // namespace
}  // namespace sesame
