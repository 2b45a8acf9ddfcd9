#pragma once

#include <cstdint>
#include <span>

#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/compat_random.h"

namespace sesame {

/// An output row that a hidden vector is to predict (label 1) or to tell apart (label 0).
struct CompatTarget {
  float* row = nullptr;
  float label = 1;
  float score = 0;  // hidden . row before the step: set by the step
};

/// word2vec.c's step of one hidden vector: target by target its score, its gradient by the table of the sigmoid,
/// `error` += gradient * row as it was, row += gradient * hidden. Beyond -6..6 negative sampling takes the sigmoid for
/// 0 or 1, hierarchical softmax leaves the target out. All rows have `stride` floats, a multiple of 16.
void compat_step(std::span<CompatTarget> targets, const float* hidden, float* error, int64_t stride, float rate,
                 VectorLoss loss, const CompatSigmoid& sigmoid);

}  // namespace sesame
