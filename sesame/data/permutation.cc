#include "sesame/data/permutation.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "sesame/base/error.h"
#include "sesame/base/philox.h"

namespace sesame {
namespace {

constexpr int kRounds = 6;
constexpr uint64_t kMaxSize = uint64_t{1} << 62;

}  // namespace

Permutation::Permutation(uint64_t size, uint64_t seed, uint64_t stream) : size_(size), seed_(seed), stream_(stream) {
  if (size < 1 || size > kMaxSize) fail(fmt::format("a permutation of {} elements, expected 1 to 2^62", size));
  half_bits_ = std::max(1, (static_cast<int>(std::bit_width(size - 1)) + 1) / 2);
}

uint64_t Permutation::operator()(uint64_t index) const {
  // The domain is less than four times the size, so this takes under four rounds on average; index < size makes it end.
  do {
    index = feistel(index);
  } while (index >= size_);
  return index;
}

uint64_t Permutation::feistel(uint64_t value) const {
  const Philox random(seed_, stream_);
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_;
  uint64_t right = value & mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t mixed = left ^ (random.block(right, round)[0] & mask);
    left = right;
    right = mixed;
  }
  return left << half_bits_ | right;
}

}  // namespace sesame
