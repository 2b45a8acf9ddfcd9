#include "sesame/word_vectors/train/block_step.h"

#include "sesame/word_vectors/train/block_step_reference.h"
#include "sesame/word_vectors/train/tables.h"

namespace sesame {

struct BlockWorkspace::State {};

BlockWorkspace::BlockWorkspace(int64_t /*dim*/) : state_(std::make_unique<State>()) {}
BlockWorkspace::~BlockWorkspace() = default;
BlockWorkspace::BlockWorkspace(BlockWorkspace&&) noexcept = default;

void step_skipgram(const Block& block, int64_t dim, float rate, BlockWorkspace& /*workspace*/) {
  reference::step_skipgram(block, dim, rate);
}

void step_cbow(const Block& block, int64_t dim, float rate, CbowGradient gradient, BlockWorkspace& /*workspace*/) {
  reference::step_cbow(block, dim, rate, gradient);
}

BlockLoss loss_of_skipgram(const Block& block, int64_t dim, BlockWorkspace& /*workspace*/) {
  return reference::loss_of_skipgram(block, dim);
}

BlockLoss loss_of_cbow(const Block& block, int64_t dim, BlockWorkspace& /*workspace*/) {
  return reference::loss_of_cbow(block, dim);
}

void sum_rows(std::span<const float* const> rows, int64_t dim, float scale, float* out) {
  for (int64_t d = 0; d < row_stride(dim); ++d) {
    float sum = 0;
    for (const float* row : rows) sum += row[d];
    out[d] = scale * sum;
  }
}

void add_to_rows(std::span<float* const> rows, int64_t dim, const float* delta) {
  for (float* row : rows) {
    for (int64_t d = 0; d < dim; ++d) row[d] += delta[d];
  }
}

double step_flops(const Block& block, int64_t dim, Architecture architecture) {
  const bool skipgram = architecture == Architecture::skipgram;
  int64_t pairs = 0;
  for (const BlockTarget& target : block.targets) {
    pairs += skipgram ? block.centres[static_cast<size_t>(target.centre)].size() : 1;
  }
  const size_t weights = (skipgram ? block.inputs.size() : block.centres.size()) * block.negatives.size();
  for (size_t i = 0; i < weights; ++i) pairs += block.weights[i] != 0 ? 1 : 0;
  return 6.0 * static_cast<double>(dim) * static_cast<double>(pairs);
}

}  // namespace sesame
