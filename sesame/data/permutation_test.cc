#include "sesame/data/permutation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "sesame/base/error.h"

namespace sesame {
namespace {

TEST(Permutation, VisitsEachElementOnce) {
  for (const uint64_t size : {1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 255, 257, 1000, 65'536, 100'003}) {
    for (uint64_t stream = 0; stream < 3; ++stream) {
      const Permutation permutation(size, 1337, stream);
      std::vector<int> visits(size);
      for (uint64_t i = 0; i < size; ++i) {
        const uint64_t image = permutation(i);
        ASSERT_LT(image, size);
        ++visits[image];
      }
      for (uint64_t i = 0; i < size; ++i) ASSERT_EQ(visits[i], 1) << i << " of " << size;
    }
  }
}

TEST(Permutation, HoldsHugeSizes) {
  const Permutation permutation(uint64_t{1} << 62, 1, 1);
  EXPECT_LT(permutation((uint64_t{1} << 62) - 1), uint64_t{1} << 62);
  EXPECT_NE(permutation(0), permutation(1));
  EXPECT_THROW(Permutation(0, 1, 1), Error);
  EXPECT_THROW(Permutation((uint64_t{1} << 62) + 1, 1, 1), Error);
}

/// Pearson's chi-square of counts against equal expectation.
double chi_square(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int count : counts) sum += (count - expected) * (count - expected) / expected;
  return sum;
}

// Each element lands in each place equally often over the streams: size^2 cells, of which (size-1)^2 are free. The
// bound is eight standard deviations of chi-square above its mean.
TEST(Permutation, IsUniformOverStreams) {
  for (const uint64_t size : {3, 8, 13, 40}) {
    constexpr int kStreams = 20'000;
    std::vector<int> counts(size * size);
    for (uint64_t stream = 0; stream < kStreams; ++stream) {
      const Permutation permutation(size, 99, stream);
      for (uint64_t i = 0; i < size; ++i) ++counts[i * size + permutation(i)];
    }
    const double freedom = static_cast<double>((size - 1) * (size - 1));
    EXPECT_LT(chi_square(counts, kStreams / static_cast<double>(size)), freedom + 8 * std::sqrt(2 * freedom)) << size;
  }
}

// Neighbours must not stay neighbours: the distance between the images of i and i + 1 is spread over all sizes.
TEST(Permutation, SeparatesNeighbours) {
  constexpr uint64_t kSize = 10'000;
  constexpr uint64_t kCells = 20;
  const Permutation permutation(kSize, 5, 0);
  std::vector<int> counts(kCells);
  for (uint64_t i = 0; i + 1 < kSize; ++i) {
    ++counts[(permutation(i + 1) + kSize - permutation(i)) % kSize * kCells / kSize];
  }
  EXPECT_LT(chi_square(counts, (kSize - 1.0) / kCells), 19 + 8 * std::sqrt(2.0 * 19));
}

TEST(Permutation, DependsOnSeedAndStream) {
  const auto first = [](uint64_t seed, uint64_t stream) {
    const Permutation permutation(1000, seed, stream);
    return std::vector<uint64_t>{permutation(0), permutation(1), permutation(2), permutation(3)};
  };
  EXPECT_EQ(first(1, 1), first(1, 1));
  EXPECT_NE(first(1, 1), first(2, 1));
  EXPECT_NE(first(1, 1), first(1, 2));
}

}  // namespace
}  // namespace sesame
