#include "sesame/base/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>

namespace sesame {
namespace {

Philox with_raw_key(uint64_t key) {
  Philox philox(0, 0);
  philox.key = key;
  return philox;
}

// Known answers for philox4x32-10 of Random123 1.14, tests/kat_vectors.
TEST(Philox, KnownAnswers) {
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(with_raw_key(0).block(0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(with_raw_key(~uint64_t{0}).block(~uint64_t{0}, ~uint64_t{0}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  // The first words of pi: counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0.
  EXPECT_EQ(with_raw_key(0x299f31d0a4093822).block(0x85a308d3243f6a88, 0x0370734413198a2e),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, WordIsOneOfABlock) {
  const Philox philox(7, 3);
  for (uint64_t element = 0; element < 12; ++element) {
    EXPECT_EQ(philox.word(element, 5), philox.block(element / 4, 5)[element % 4]);
  }
}

TEST(Philox, KeysOfNeighbouringSeedsAndStreamsDiffer) {
  std::set<uint64_t> keys;
  for (uint64_t seed = 0; seed < 64; ++seed) {
    for (uint64_t stream = 0; stream < 64; ++stream) keys.insert(Philox(seed, stream).key);
  }
  EXPECT_EQ(keys.size(), 64u * 64u);
}

/// Chi-square over 256 bins of the uniform numbers that `next` gives; 255 degrees of freedom, mean 255, deviation 22.6.
template <typename F>
double chi_square(F next) {
  constexpr int kBins = 256;
  constexpr int kDraws = 256 * 1000;
  std::array<int, kBins> counts{};
  for (int i = 0; i < kDraws; ++i) {
    const float u = next(static_cast<uint64_t>(i));
    EXPECT_GE(u, 0.0f);
    EXPECT_LT(u, 1.0f);
    counts[static_cast<size_t>(u * kBins)]++;
  }
  double sum = 0;
  for (const int count : counts) sum += (count - 1000.0) * (count - 1000.0) / 1000.0;
  return sum;
}

TEST(Philox, UniformAlongElementsStepsAndStreams) {
  constexpr double kLow = 255 - 5 * 22.6;
  constexpr double kHigh = 255 + 5 * 22.6;
  const Philox philox(1, 2);
  for (const double value : {chi_square([&](uint64_t i) { return Philox::uniform(philox.word(i, 0)); }),
                             chi_square([&](uint64_t i) { return Philox::uniform(philox.word(0, i)); }),
                             chi_square([&](uint64_t i) { return Philox::uniform(Philox(1, i).word(0, 0)); }),
                             chi_square([&](uint64_t i) { return Philox::uniform(Philox(i, 1).word(0, 0)); })}) {
    EXPECT_GT(value, kLow);
    EXPECT_LT(value, kHigh);
  }
}

TEST(Philox, UniformReachesItsEnds) {
  EXPECT_EQ(Philox::uniform(0), 0.0f);
  EXPECT_EQ(Philox::uniform(0xFFFFFFFFu), 1.0f - 0x1p-24f);
}

}  // namespace
}  // namespace sesame
