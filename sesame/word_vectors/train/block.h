#pragma once

#include <cstdint>
#include <span>

namespace sesame {

/// The contexts of one centre word: inputs [first, last) without `self`, which may lie outside.
struct ContextWindow {
  int32_t first = 0;
  int32_t last = 0;
  int32_t self = -1;

  [[nodiscard]] int32_t size() const noexcept { return last - first - (self >= first && self < last ? 1 : 0); }
};

/// An output row that the contexts of a centre are to predict (label 1) or to tell apart (label 0): the centre word
/// itself with negative sampling, the inner nodes on its path with hierarchical softmax.
template <typename T>
struct BlockTargetOf {
  T* row = nullptr;
  int32_t centre = 0;  // index into Block::centres
  float label = 1;
};

/// A few consecutive centre words with all rows that their step touches. Rows have `dim` elements in use, are 64-byte
/// aligned, and are followed by zeros up to a multiple of 16 elements, which every step leaves zero. Inputs are rows of
/// one table, targets and negatives of another; the same row may occur several times in each role.
///
/// Loss, with s(x) = 1 / (1 + exp(-x)), label y, and h an input (skip-gram) or the mean of a window (CBOW):
///   pairs       -log s(h . row) where y is 1, -log s(-h . row) where it is 0: every target with every h of its centre
///   negatives   -weight * log s(-h . negative): every h with every negative; weights are `weights[h * negatives + n]`
///
/// Training has T = float; T = double is for proofs.
template <typename T>
struct BlockOf {
  std::span<T* const> inputs;  // rows of context words, in the order of the text
  std::span<const ContextWindow> centres;
  std::span<const BlockTargetOf<T>> targets;  // by rising centre
  std::span<T* const> negatives;              // at most kMaxNegatives
  const float* weights = nullptr;             // skip-gram [inputs, negatives], CBOW [centres, negatives]
  const float* input_counts = nullptr;        // CBOW with n-grams: input i is a sum of this many rows; null: 1 each
  std::span<T* const> upcoming;               // rows of a later block, brought into the cache meanwhile; may be empty

  static constexpr int64_t kMaxInputs = 256;
  static constexpr int64_t kMaxCentres = 64;
  static constexpr int64_t kMaxNegatives = 64;
};

using BlockTarget = BlockTargetOf<float>;
using Block = BlockOf<float>;

}  // namespace sesame
