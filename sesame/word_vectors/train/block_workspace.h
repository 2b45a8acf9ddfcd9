#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>

#include "sesame/word_vectors/train/block_step.h"
#include "sesame/word_vectors/train/pair_group.h"

namespace sesame {

/// Scratch memory of a thread's block steps; `width` is the dimension with the zeros behind it.
struct BlockWorkspace::State {
  explicit State(int64_t row_width) : width(row_width) { std::fill_n(zeros.get(), width, 0.0F); }

  [[nodiscard]] float* hidden_row(size_t c) const { return hidden.get() + static_cast<int64_t>(c) * width; }
  [[nodiscard]] float* hidden_before_row(size_t c) const {
    return hidden_before.get() + static_cast<int64_t>(c) * width;
  }

  /// Of a cache line's alignment.
  static constexpr std::align_val_t alignment{64};
  struct Free {
    void operator()(float* floats) const noexcept { ::operator delete[](floats, alignment); }
  };
  using Floats = std::unique_ptr<float[], Free>;
  static Floats floats(int64_t count) {
    return Floats(static_cast<float*>(::operator new[](static_cast<size_t>(count) * sizeof(float), alignment)));
  }

  int64_t width;
  PairGroup pairs;
  Floats targets = floats(kTargetGroup * width);                  // [targets, width], copies of the rows of a group
  Floats zeros = floats(width);                                   // stands for negatives that a group does not have
  Floats packed = floats(width * kNegativeGroup);                 // [width, kNegativeGroup], of a group of negatives
  Floats gradients = floats(Block::kMaxInputs * kNegativeGroup);  // [inputs, kNegativeGroup]
  Floats hidden = floats(Block::kMaxCentres * width);             // [centres, width], h of CBOW
  Floats hidden_before = floats(Block::kMaxCentres * width);      // the same as they were before the step
};

}  // namespace sesame
