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
struct BlockTarget {
  float* row = nullptr;
  int32_t centre = 0;  // index into Block::centres
  float label = 1;
};

/// A few consecutive centre words with all rows that their step touches. Rows have `dim` floats in use, are 64-byte
/// aligned, and are followed by zeros up to a multiple of 16 floats, which every step leaves zero. The same row may
/// occur several times, in any role.
///
/// Loss, with s(x) = 1 / (1 + exp(-x)), label y, and h an input (skip-gram) or the mean of a window (CBOW):
///   pairs       -log s(h . row) where y is 1, -log s(-h . row) where it is 0: every target with every h of its centre
///   negatives   -weight * log s(-h . negative): every h with every negative; weights are `weights[h * negatives + n]`
struct Block {
  std::span<float* const> inputs;  // rows of context words, in the order of the text
  std::span<const ContextWindow> centres;
  std::span<const BlockTarget> targets;  // by rising centre
  std::span<float* const> negatives;     // at most kMaxNegatives
  const float* weights = nullptr;        // skip-gram [inputs, negatives], CBOW [centres, negatives]
  const float* input_counts = nullptr;   // CBOW with n-grams: input i is a sum of this many rows; null: 1 each

  static constexpr int64_t kMaxInputs = 256;
  static constexpr int64_t kMaxCentres = 64;
  static constexpr int64_t kMaxNegatives = 64;
};

}  // namespace sesame
