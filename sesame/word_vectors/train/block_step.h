#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/block.h"

namespace sesame {

/// Working memory of block steps, one for each thread.
class BlockWorkspace {
 public:
  explicit BlockWorkspace(int64_t dim);
  ~BlockWorkspace();
  BlockWorkspace(BlockWorkspace&&) noexcept;
  struct State;
  [[nodiscard]] State& state() noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Targets and negatives are taken in groups of this many, one group after the other.
inline constexpr int64_t kTargetGroup = 16;
inline constexpr int64_t kNegativeGroup = 16;

/// One step of gradient descent with `rate` on the loss of block.h, in place, in this order:
/// 1. a group of targets, all their pairs: the gradients at the rows as they are, then both sides move;
/// 2. a group of negatives, all inputs: the gradients at the rows as they are, then both sides move.
/// A row that occurs twice in a group moves twice.
void step_skipgram(const Block& block, int64_t dim, float rate, BlockWorkspace& workspace);

/// The same with h the mean over a centre's window: all h are computed first, from the inputs as they are; each h moves
/// like a row during steps 1 and 2, and what it has moved by reaches the inputs of its window at the end: 1 / n of it
/// (CbowGradient::mean) or all of it (full). With input_counts, h is the sum of the inputs over the sum of their counts
/// n, and every input receives that share. Centres without contexts have no targets, and nothing comes of their
/// negatives.
void step_cbow(const Block& block, int64_t dim, float rate, CbowGradient gradient, BlockWorkspace& workspace);

/// The loss of a block before its step, as in block.h, and the sum of its weights (1 for each pair): for progress.
struct BlockLoss {
  double loss = 0;
  double weight = 0;
};
BlockLoss loss_of_skipgram(const Block& block, int64_t dim, BlockWorkspace& workspace);
BlockLoss loss_of_cbow(const Block& block, int64_t dim, BlockWorkspace& workspace);

/// out[d] = scale * sum of rows[i][d], for d in [0, dim) rounded up to a multiple of 16. Of n-grams.
void sum_rows(std::span<const float* const> rows, int64_t dim, float scale, float* out);
/// rows[i][d] += delta[d]; a row that is there twice moves twice.
void add_to_rows(std::span<float* const> rows, int64_t dim, const float* delta);

/// Multiply-adds of a step times two, for shares of the roofline: 6 dim for every pair of weight other than 0.
double step_flops(const Block& block, int64_t dim, Architecture architecture);

}  // namespace sesame
