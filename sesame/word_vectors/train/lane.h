#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/block_builder.h"
#include "sesame/word_vectors/train/block_step.h"
#include "sesame/word_vectors/train/row_view.h"
#include "sesame/word_vectors/train/subword_inputs.h"
#include "sesame/word_vectors/train/subwords.h"

namespace sesame {

/// What blocks lose and cost: of one in Lane::kSampling, and its cost for all.
struct BlockSums {
  double loss = 0;
  double weight = 0;
  double flops = 0;

  void add(const BlockSums& other) {
    loss += other.loss;
    weight += other.weight;
    flops += other.flops;
  }
};

/// Trains on one chunk after another, block by block, while the rows of the following block are on their way from
/// memory. One for each thread.
class Lane {
 public:
  static constexpr int64_t kSampling = 512;  // blocks for one whose loss is looked at

  /// Keeps references to the samplers and the subwords (null: none).
  Lane(const VectorOptions& options, const BlockSamplers& samplers, const SubwordIndex* subwords, int64_t words,
       RowView input, RowView output);
  Lane(const Lane&) = delete;

  void begin(const IdChunk& chunk, int64_t epoch);
  /// Trains on blocks with about so many centres. False at the end of the chunk.
  bool train(int64_t centres, float rate);
  [[nodiscard]] bool has_more() const noexcept { return planned_; }
  /// Of the words of the chunk, how many are done.
  [[nodiscard]] uint64_t words_done() const noexcept;
  /// Brings what n-grams have learned into the rows of the view, and looks ahead no longer: afterwards the rows may
  /// change, and other copies of them may be taken.
  void settle();
  /// Sums since the last call.
  BlockSums take_sums();

  [[nodiscard]] RowView& input() noexcept { return input_; }
  [[nodiscard]] RowView& output() noexcept { return output_; }

 private:
  struct Prepared {
    BlockPlan plan;
    std::vector<float*> inputs;
    std::vector<float*> negatives;
    std::vector<float> input_counts;
    std::vector<float*> fresh;  // rows that the block before does not have
  };
  [[nodiscard]] Block block_of(const Prepared& prepared, const Prepared* following) const;
  void look_up(Prepared& prepared);
  void step(const Prepared& prepared, const Prepared* following, float rate);
  void sample(const Block& block);

  VectorOptions options_;
  RowView input_;
  RowView output_;
  BlockBuilder builder_;
  std::optional<SubwordInputs> subwords_;
  BlockWorkspace workspace_;
  std::array<Prepared, 2> prepared_;
  size_t next_ = 0;  // of prepared_
  bool planned_ = false, looked_up_ = false;
  int64_t listed_ = 0;  // inputs of the chunk before this place have been fresh once
  uint64_t chunk_words_ = 0;
  int64_t done_ = 0;
  int64_t epoch_ = -1;
  int64_t blocks_ = 0;  // of the epoch
  BlockSums sums_;
  double sampled_flops_ = 0, sampled_centres_ = 0, centres_ = 0;
};

}  // namespace sesame
