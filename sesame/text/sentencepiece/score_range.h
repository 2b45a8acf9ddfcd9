#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace sesame {

/// After which sums of scores a short text has the same pieces, for models that add scores up in float: the sum depends
/// on all that stands before, and so may the choice between segmentations that are nearly as good. There are two
/// answers. A choice that is better than all others by more than what rounding can do holds below a limit. Any choice
/// holds for all sums of its binade: there the sums are multiples of one unit, and an addition of a score adds a
/// multiple of it that does not depend on the sum, apart from a score that is half-way between two, which is rounded by
/// the last bit of the sum.
class ScoreRange {
 public:
  /// Of normalized text; what is longer has no range.
  static constexpr size_t most_bytes = 24;
  /// A sum that is farther from zero is set back to zero in SentencePiece (0.2.3, unigram_model.cc).
  static constexpr float reset_threshold = 100000;

  /// What a sum is before the next score is added to it.
  [[nodiscard]] static float set_back(float sum) noexcept { return std::abs(sum) > reset_threshold ? 0 : sum; }

  /// A limit of n stands for sums that stay below 2^n in absolute value while a short text is added.
  static constexpr uint8_t highest_limit = 17;  // 2^17 is beyond the threshold
  static constexpr uint8_t lowest_limit = 1;

  ScoreRange() = default;
  /// `scores`: all that may be added.
  explicit ScoreRange(std::span<const float> scores) {
    float largest = 0;
    float highest = 0;
    for (const float score : scores) {
      largest = std::max(largest, std::abs(score));
      highest = std::max(highest, score);
    }
    fall_ = static_cast<float>(most_bytes) * largest;
    rise_ = static_cast<float>(most_bytes) * highest;
  }

  /// What holds below this limit holds for the sum; above highest_limit where it may be set back.
  [[nodiscard]] uint8_t limit_of(float sum) const noexcept {
    const float farthest = std::abs(sum) + fall_;
    const auto exponent = static_cast<int32_t>(std::bit_cast<uint32_t>(farthest) >> 23) - 126;
    const int32_t limit = std::max(exponent, int32_t{lowest_limit});
    return farthest < reset_threshold ? static_cast<uint8_t>(limit) : highest_limit + 1;
  }

  /// The number, 1 to 14, of the binade that all sums stay in, odd and even ones apart; 0 where there is none or it is
  /// one of few sums.
  [[nodiscard]] uint8_t binade_of(float sum) const noexcept {
    constexpr int32_t first = 10;
    const uint32_t bits = std::bit_cast<uint32_t>(sum);
    const int32_t exponent = static_cast<int32_t>((bits >> 23) & 0xFF) - 127;
    const float farthest = std::abs(sum) + fall_;
    if (sum > 0 || exponent < first || !(farthest < reset_threshold)) return 0;
    const float next = std::ldexp(1.0F, exponent + 1);
    if (farthest > next || -sum - rise_ < next / 2) return 0;
    return static_cast<uint8_t>(1 + 2 * (exponent - first) + static_cast<int32_t>(bits & 1));
  }

  /// The limit of a choice that was found by sums that begin with zero. It was better than others by `margin`; either
  /// way has at most `pieces` pieces together. Every addition is off by at most half a unit in the last place of a sum,
  /// which is 2^(n - 25) for sums below 2^n.
  [[nodiscard]] uint8_t limit_of_margin(float margin, size_t pieces) const noexcept {
    const auto additions = static_cast<float>(pieces + 1);
    const float safe = (margin - additions * fall_ * 0x1p-23F) / additions;
    if (!(safe > 0)) return 0;
    const auto exponent = static_cast<int32_t>(std::bit_cast<uint32_t>(safe) >> 23) - 127;
    return static_cast<uint8_t>(std::clamp(exponent + 25, 0, int32_t{highest_limit}));
  }

 private:
  float fall_ = 0;  // of a sum through a short text, at most
  float rise_ = 0;
};

}  // namespace sesame
