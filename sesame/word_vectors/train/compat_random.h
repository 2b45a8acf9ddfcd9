#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sesame {

/// word2vec.c's linear congruential generator modulo 2^64: one stream serves every kind of draw of a thread.
class CompatGenerator {
 public:
  explicit CompatGenerator(uint64_t seed) : state_(seed) {}
  uint64_t next() noexcept { return state_ = state_ * 25214903917U + 11U; }
  /// Uniform in [0, 1) by 16 bits.
  float next_uniform() noexcept { return static_cast<float>(next() & 0xFFFF) / 65536.0F; }

 private:
  uint64_t state_;
};

/// What word2vec.c's table of 10^8 words holds at an index, in the space of the words: word i has the indices behind
/// those of word i - 1, up to the first one whose share of the table exceeds the share of words 0..i.
class CompatNoiseTable {
 public:
  static constexpr uint64_t kSize = 100'000'000;

  /// Shares are in proportion to counts[i]^exponent. At least one count, and one above 0. `size` below 2^32.
  CompatNoiseTable(std::span<const uint64_t> counts, double exponent, uint64_t size = kSize);

  /// `index` below the size.
  [[nodiscard]] int32_t at(uint64_t index) const noexcept {
    int32_t word = first_word_[index >> shift_];
    while (index > last_index_[static_cast<size_t>(word)]) ++word;
    return word;
  }

 private:
  std::vector<uint32_t> last_index_;  // of each word
  std::vector<int32_t> first_word_;   // at index i << shift_
  int shift_ = 0;
};

/// word2vec.c's table of 1 / (1 + exp(-x)). Reading it is biased: -6 to 6 has 1000 entries, but the step from one to
/// the next is taken as 1 / 83, the quotient of integers, where it is 1 / 83.3.
class CompatSigmoid {
 public:
  static constexpr float kLimit = 6;

  CompatSigmoid();
  /// |x| <= kLimit.
  [[nodiscard]] float operator()(float x) const noexcept { return values_[static_cast<size_t>((x + kLimit) * 83)]; }

 private:
  std::vector<float> values_;
};

}  // namespace sesame
