#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sesame/word_vectors/options.h"

namespace sesame {

/// The probability with which an occurrence of a word is kept that has `count` of `total`: see SubsamplingRule. 1 where
/// `sample` is 0.
double keep_probability(uint64_t count, uint64_t total, double sample, SubsamplingRule rule);

/// Decides which occurrences of words are kept, by an integer comparison. Immutable.
class Subsampling {
 public:
  Subsampling() = default;
  Subsampling(std::span<const uint64_t> counts, double sample, SubsamplingRule rule);

  /// `bits`: 32 uniform random bits.
  [[nodiscard]] bool keeps(int32_t word, uint32_t bits) const noexcept {
    return bits <= last_kept_[static_cast<size_t>(word)];
  }

 private:
  std::vector<uint32_t> last_kept_;  // by word: the largest of 2^32 values with which it is kept
};

}  // namespace sesame
