#pragma once

#include <algorithm>
#include <cstdint>

#include "sesame/word_vectors/train/block_step.h"

namespace sesame {

/// A sum of rows, its k-th term rows[k] times the number of pair pairs[k].
struct RowTerms {
  float* const* rows;
  const uint16_t* pairs;
  int64_t count;
};

/// The pairs of a group of targets with rows h: once in the order of the targets, which numbers them, and once in that
/// of the rows h, so that what a row moves by is a sum of terms whichever side it is on.
class PairGroup {
 public:
  static constexpr int64_t kMaxPairs = kTargetGroup * Block::kMaxInputs;

  PairGroup() {
    for (int64_t pair = 0; pair < kMaxPairs; ++pair) numbers_[pair] = static_cast<uint16_t>(pair);
  }

  /// Starts a group whose pairs name `h_rows` rows by their index.
  void clear(int64_t h_rows) {
    targets_ = 0;
    std::fill_n(h_counts_, h_rows, 0);
  }

  /// Pairs a target with h[first], ... h[last - 1], but not with h[self].
  void add(float* target, float label, float* const* h, int32_t first, int32_t last, int32_t self) {
    int32_t pair = first_pair_[targets_];
    for (int32_t i = first; i < last; ++i) {
      if (i == self) continue;
      const int64_t place = i * kTargetGroup + h_counts_[i]++;
      h_terms_[place] = target;
      h_pairs_[place] = static_cast<uint16_t>(pair);
      target_terms_[pair] = h[i];
      labels[pair++] = label;
    }
    target_rows_[targets_++] = target;
    first_pair_[targets_] = pair;
  }

  [[nodiscard]] int64_t targets() const { return targets_; }
  [[nodiscard]] int64_t pairs() const { return first_pair_[targets_]; }
  [[nodiscard]] float* target_row(int64_t t) const { return target_rows_[t]; }
  [[nodiscard]] int64_t first_pair(int64_t t) const { return first_pair_[t]; }

  /// The rows h of a target, and the targets of a row h.
  [[nodiscard]] RowTerms of_target(int64_t t) const {
    const int64_t first = first_pair_[t];
    return {target_terms_ + first, numbers_ + first, first_pair_[t + 1] - first};
  }
  [[nodiscard]] RowTerms of_h(int64_t i) const {
    return {h_terms_ + i * kTargetGroup, h_pairs_ + i * kTargetGroup, h_counts_[i]};
  }

  // By pair; whole vectors are written over the end.
  float labels[kMaxPairs + 16];
  float gradients[kMaxPairs + 16];

 private:
  int64_t targets_ = 0;
  float* target_rows_[kTargetGroup];
  int32_t first_pair_[kTargetGroup + 1] = {};
  float* target_terms_[kMaxPairs];
  uint16_t numbers_[kMaxPairs];  // 0, 1, 2, ...
  int32_t h_counts_[Block::kMaxInputs];
  float* h_terms_[Block::kMaxInputs * kTargetGroup];
  uint16_t h_pairs_[Block::kMaxInputs * kTargetGroup];
};

}  // namespace sesame
