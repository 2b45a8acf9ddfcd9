#pragma once

#include <algorithm>
#include <cstdint>

#include "sesame/word_vectors/train/block_step.h"

namespace sesame {

/// The pairs of a group of targets with rows h: numbered in the order of the targets, and listed again by h, so that
/// what a row moves by is a sum over neighbours in memory whichever side it is on.
class PairGroup {
 public:
  static constexpr int64_t kMaxPairs = kTargetGroup * Block::kMaxInputs;

  /// Starts a group whose pairs name `h_rows` rows by their index.
  void clear(int64_t h_rows) {
    targets_ = 0;
    std::fill_n(h_counts_, h_rows, 0);
  }

  /// Pairs a target with h[first], ... h[last - 1], but not with h[self].
  void add(float* target, float label, float* const* h, int32_t first, int32_t last, int32_t self) {
    int32_t pair = first_pair_[targets_];
    const auto slot = static_cast<int32_t>(targets_);
    for (int32_t i = first; i < last; ++i) {
      // What is written for self is overwritten by the next one: no branch, which would be guessed wrong each time.
      pair_rows_[pair] = h[i];
      h_pairs_[i * kTargetGroup + h_counts_[i]] = static_cast<uint16_t>(pair * kTargetGroup + slot);
      h_counts_[i] += i != self;
      pair += i != self;
    }
    target_rows_[targets_] = target;
    labels_[targets_++] = label;
    first_pair_[targets_] = pair;
  }

  [[nodiscard]] int64_t targets() const { return targets_; }
  [[nodiscard]] int64_t pairs() const { return first_pair_[targets_]; }

  [[nodiscard]] float* target_row(int64_t t) const { return target_rows_[t]; }
  [[nodiscard]] float label(int64_t t) const { return labels_[t]; }
  [[nodiscard]] int64_t first_pair(int64_t t) const { return first_pair_[t]; }
  [[nodiscard]] int64_t pairs_of_target(int64_t t) const { return first_pair_[t + 1] - first_pair_[t]; }
  /// The row h of a pair; those of a target lie one behind the other.
  [[nodiscard]] float* const* pair_rows(int64_t pair) const { return pair_rows_ + pair; }

  [[nodiscard]] int64_t pairs_of_h(int64_t i) const { return h_counts_[i]; }
  /// Of row i the pairs, each as pair * kTargetGroup + target.
  [[nodiscard]] const uint16_t* h_pairs(int64_t i) const { return h_pairs_ + i * kTargetGroup; }

  // By pair; whole vectors are written over the end.
  float labels_of_pairs[kMaxPairs + 16];
  float gradients[kMaxPairs + 16];

 private:
  static_assert(kMaxPairs * kTargetGroup <= 1 << 16);

  int64_t targets_ = 0;
  float* target_rows_[kTargetGroup];
  float labels_[kTargetGroup];
  int32_t first_pair_[kTargetGroup + 1] = {};
  float* pair_rows_[kMaxPairs + 1];
  int32_t h_counts_[Block::kMaxInputs];
  uint16_t h_pairs_[Block::kMaxInputs * kTargetGroup + 1];
};

}  // namespace sesame
