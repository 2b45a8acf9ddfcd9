#include "sesame/word_vectors/train/block_step.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/word_vectors/train/block_step_reference.h"
#include "sesame/word_vectors/train/block_workspace.h"
#include "sesame/word_vectors/train/tables.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/word_vectors/train/block_step.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/word_vectors/train/block_cbow-inl.h"
#include "sesame/word_vectors/train/block_negatives-inl.h"
#include "sesame/word_vectors/train/block_pairs-inl.h"
#include "sesame/word_vectors/train/block_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE RowPrefetch upcoming_rows(size_t h_rows, const Block& block, int64_t width) {
  return {block.upcoming, width,
          static_cast<int64_t>(block.targets.size()) + negative_fetches(h_rows, block, width) + 1};
}

HWY_ATTR void step_skipgram_kernel(const Block& block, int64_t dim, float rate, BlockWorkspace::State& scratch) {
  RowPrefetch upcoming = upcoming_rows(block.inputs.size(), block, scratch.width);
  for (size_t t = 0; t < block.targets.size();) {
    scratch.pairs.clear(static_cast<int64_t>(block.inputs.size()));
    for (; t < block.targets.size() && scratch.pairs.targets() < kTargetGroup; ++t) {
      const BlockTarget& target = block.targets[t];
      const ContextWindow& window = block.centres[static_cast<size_t>(target.centre)];
      scratch.pairs.add(target.row, target.label, block.inputs.data(), window.first, window.last, window.self);
    }
    step_target_group(block.inputs, rate, upcoming, scratch);
  }
  step_negatives(block.inputs, block, dim, rate, upcoming, scratch);
}

HWY_ATTR void step_cbow_kernel(const Block& block, int64_t dim, float rate, CbowGradient gradient,
                               BlockWorkspace::State& scratch) {
  const BlockWindows windows(block);
  mean_windows(block, windows, scratch);
  float* hidden_rows[Block::kMaxCentres];
  for (size_t c = 0; c < block.centres.size(); ++c) hidden_rows[c] = scratch.hidden_row(c);
  const std::span<float* const> hidden(hidden_rows, block.centres.size());
  RowPrefetch upcoming = upcoming_rows(hidden.size(), block, scratch.width);
  for (size_t t = 0; t < block.targets.size();) {
    scratch.pairs.clear(static_cast<int64_t>(hidden.size()));
    for (; t < block.targets.size() && scratch.pairs.targets() < kTargetGroup; ++t) {
      const BlockTarget& target = block.targets[t];
      scratch.pairs.add(target.row, target.label, hidden_rows, target.centre, target.centre + 1, -1);
    }
    step_target_group(hidden, rate, upcoming, scratch);
  }
  step_negatives(hidden, block, dim, rate, upcoming, scratch);
  move_windows(block, windows, gradient, scratch);
}

HWY_ATTR void sum_rows_kernel(std::span<const float* const> rows, int64_t width, float scale, float* out) {
  over_columns(width, SumOfRows{rows, scale, out, width});
}

HWY_ATTR void add_to_rows_kernel(std::span<float* const> rows, int64_t width, const float* delta) {
  add_to_all_rows(rows, width, delta);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(step_skipgram_kernel);
HWY_EXPORT(step_cbow_kernel);
HWY_EXPORT(sum_rows_kernel);
HWY_EXPORT(add_to_rows_kernel);

/// What would write past the ends of scratch memory.
void check(const Block& block, int64_t dim, const BlockWorkspace::State& scratch) {
  const auto inputs = static_cast<int64_t>(block.inputs.size());
  const auto centres = static_cast<int64_t>(block.centres.size());
  if (inputs <= Block::kMaxInputs && centres <= Block::kMaxCentres && row_stride(dim) == scratch.width) return;
  fail(
      fmt::format("word vectors: a block of {} inputs, {} centres and {} channels; at most {} and {}, and {} channels "
                  "of the workspace, are possible",
                  inputs, centres, dim, Block::kMaxInputs, Block::kMaxCentres, scratch.width));
}

}  // namespace

BlockWorkspace::BlockWorkspace(int64_t dim) : state_(std::make_unique<State>(row_stride(dim))) {}
BlockWorkspace::~BlockWorkspace() = default;
BlockWorkspace::BlockWorkspace(BlockWorkspace&&) noexcept = default;

void step_skipgram(const Block& block, int64_t dim, float rate, BlockWorkspace& workspace) {
  check(block, dim, workspace.state());
  HWY_DYNAMIC_DISPATCH(step_skipgram_kernel)(block, dim, rate, workspace.state());
}

void step_cbow(const Block& block, int64_t dim, float rate, CbowGradient gradient, BlockWorkspace& workspace) {
  check(block, dim, workspace.state());
  HWY_DYNAMIC_DISPATCH(step_cbow_kernel)(block, dim, rate, gradient, workspace.state());
}

BlockLoss loss_of_skipgram(const Block& block, int64_t dim, BlockWorkspace& /*workspace*/) {
  return reference::loss_of_skipgram(block, dim);
}

BlockLoss loss_of_cbow(const Block& block, int64_t dim, BlockWorkspace& /*workspace*/) {
  return reference::loss_of_cbow(block, dim);
}

void sum_rows(std::span<const float* const> rows, int64_t dim, float scale, float* out) {
  HWY_DYNAMIC_DISPATCH(sum_rows_kernel)(rows, row_stride(dim), scale, out);
}

void add_to_rows(std::span<float* const> rows, int64_t dim, const float* delta) {
  HWY_DYNAMIC_DISPATCH(add_to_rows_kernel)(rows, row_stride(dim), delta);
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
#endif
