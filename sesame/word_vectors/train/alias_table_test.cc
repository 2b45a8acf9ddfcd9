#include "sesame/word_vectors/train/alias_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sesame/base/error_of.h"
#include "sesame/word_vectors/train/chi_square.h"
#include "sesame/word_vectors/train/chunk_random.h"

namespace sesame {
namespace {

/// Zipf's law, as words have it.
std::vector<uint64_t> zipf_counts(size_t words, double largest) {
  std::vector<uint64_t> counts;
  for (size_t i = 0; i < words; ++i) counts.push_back(static_cast<uint64_t>(largest / static_cast<double>(i + 1)) + 1);
  return counts;
}

std::vector<uint64_t> draws_of(const AliasTable& table, uint64_t draws, uint64_t seed) {
  std::vector<uint64_t> observed(table.size());
  ChunkRandom random(seed, 0, 0);
  for (uint64_t i = 0; i < draws; ++i) ++observed[static_cast<size_t>(table.draw(random.next()))];
  return observed;
}

std::vector<double> expected_of(const std::vector<uint64_t>& counts, double exponent, double draws) {
  std::vector<double> expected;
  double sum = 0;
  for (const uint64_t count : counts) {
    expected.push_back(count == 0 ? 0 : std::pow(static_cast<double>(count), exponent));
    sum += expected.back();
  }
  for (double& e : expected) e *= draws / sum;
  return expected;
}

TEST(AliasTable, DrawsInProportionToPowersOfCounts) {
  constexpr uint64_t kDraws = 2'000'000;
  for (const double exponent : {0.75, 0.0, 1.0, 0.5, -0.5}) {
    const auto counts = zipf_counts(1000, 1e6);
    const auto observed = draws_of(AliasTable(counts, exponent), kDraws, 7);
    EXPECT_LT(chi_square_deviation(observed, expected_of(counts, exponent, kDraws)), 5) << exponent;
    // The test sees an exponent that is off by little.
    EXPECT_GT(chi_square_deviation(observed, expected_of(counts, exponent + 0.03, kDraws)), 8) << exponent;
  }
}

TEST(AliasTable, AWordWithoutOccurrencesIsNeverDrawn) {
  std::vector<uint64_t> counts = zipf_counts(50, 1e4);
  counts.front() = 0;
  counts.back() = 0;
  counts[20] = 0;
  for (const double exponent : {0.75, 0.0, -1.0}) {
    const auto observed = draws_of(AliasTable(counts, exponent), 300'000, 3);
    EXPECT_LT(chi_square_deviation(observed, expected_of(counts, exponent, 300'000)), 5) << exponent;
  }
}

TEST(AliasTable, OneWordNoOccurrencesExtremeCounts) {
  EXPECT_EQ(draws_of(AliasTable(std::vector<uint64_t>{9}, 0.75), 100, 1), std::vector<uint64_t>{100});
  const std::vector<uint64_t> none(4);
  EXPECT_LT(chi_square_deviation(draws_of(AliasTable(none, 0.75), 10'000, 1), std::vector<double>(4, 2500)), 5);
  const std::vector<uint64_t> extreme{uint64_t{1} << 60, uint64_t{1} << 60, 1};
  for (const double exponent : {10.0, -10.0}) {
    const auto observed = draws_of(AliasTable(extreme, exponent), 10'000, 1);
    EXPECT_EQ(observed[2], exponent > 0 ? 0u : 10'000u);
  }
  EXPECT_NE(error_of([] { AliasTable(std::vector<uint64_t>{}, 1); }).find("at least one"), std::string::npos);
}

TEST(AliasTable, EveryEntryIsReachedFromTheEndsOfTheRange) {
  const AliasTable table(std::vector<uint64_t>{5, 5, 5}, 1);
  EXPECT_EQ(table.draw(0), 0);
  EXPECT_EQ(table.draw(~uint64_t{0}), 2);
}

}  // namespace
}  // namespace sesame
