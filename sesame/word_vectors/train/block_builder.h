#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/alias_table.h"
#include "sesame/word_vectors/train/block.h"
#include "sesame/word_vectors/train/chunk_random.h"
#include "sesame/word_vectors/train/huffman.h"
#include "sesame/word_vectors/train/subsampling.h"
#include "sesame/word_vectors/words/id_source.h"
#include "sesame/word_vectors/words/vocabulary.h"

namespace sesame {

/// What all threads draw from. Immutable.
struct BlockSamplers {
  Subsampling subsampling;
  AliasTable noise;   // with negative sampling; never "</s>", as in word2vec.c
  HuffmanTree paths;  // with hierarchical softmax

  BlockSamplers(const VectorOptions& options, const Vocabulary& vocabulary);
};

/// Noise words, whose entries of the table are on their way from memory some draws ahead.
class NoiseWords {
 public:
  explicit NoiseWords(const AliasTable& table) : table_(&table) {}

  void begin(ChunkRandom& random) {
    next_ = 0;
    for (uint64_t& bits : bits_) bits = random.next();
  }
  int32_t draw(ChunkRandom& random) {
    uint64_t& bits = bits_[next_++ % bits_.size()];
    const int32_t drawn = table_->draw(bits);
    bits = random.next();
    table_->prefetch(bits);
    return drawn;
  }

 private:
  const AliasTable* table_;
  std::array<uint64_t, 32> bits_{};
  size_t next_ = 0;
};

/// A Block whose rows are numbers yet: words of the input table, and rows of the output table.
struct BlockPlan {
  int64_t first = 0;                // place of inputs[0] among the kept words of its chunk
  std::span<const int32_t> inputs;  // valid until the builder begins another chunk
  std::span<const int32_t> ahead;   // some words behind the inputs, which later blocks have
  std::vector<ContextWindow> centres;
  std::vector<BlockTarget> targets;  // without rows
  std::vector<int32_t> target_rows;  // one for each target
  std::vector<int32_t> negatives;
  std::vector<float> weights;  // as Block::weights

  [[nodiscard]] int64_t last() const noexcept { return first + static_cast<int64_t>(inputs.size()); }
};

/// Makes blocks of a chunk: drops words by subsampling, before windows are laid, as word2vec.c does; forgets sentences
/// of fewer than two kept words; draws windows and noise words. Everything drawn depends on options.seed, the epoch and
/// the chunk alone. Blocks span sentences, contexts don't. Every centre has a context.
///
/// With shared negatives, input i and noise word n have the weight (centres that have i as a context, less those whose
/// word is n) * negative / shared_negatives in skip-gram, and centre c and n have negative / shared_negatives, or 0
/// where c's word is n, in CBOW: in expectation `negative` noise words a pair, none the target itself (word2vec.c skips
/// such draws).
class BlockBuilder {
 public:
  /// Keeps a reference to the samplers.
  BlockBuilder(const VectorOptions& options, const BlockSamplers& samplers);

  void begin(const IdChunk& chunk, int64_t epoch);
  /// False at the end of the chunk. Once the buffers have grown, nothing is allocated.
  bool next(BlockPlan& plan);

  /// Words of the chunk that were kept, and those that have been centres.
  [[nodiscard]] int64_t kept() const noexcept { return static_cast<int64_t>(words_.size()); }
  [[nodiscard]] int64_t done() const noexcept { return next_centre_; }

 private:
  void lay_windows(BlockPlan& plan);
  void add_targets(BlockPlan& plan);
  void draw_shared_negatives(BlockPlan& plan);
  void weigh_skipgram(BlockPlan& plan);
  void weigh_cbow(BlockPlan& plan);

  [[nodiscard]] int32_t word_of(const BlockPlan& plan, const ContextWindow& centre) const noexcept {
    return words_[static_cast<size_t>(plan.first + centre.self)];
  }

  VectorOptions options_;
  const BlockSamplers* samplers_;
  ChunkRandom random_;
  NoiseWords noise_;
  std::vector<int32_t> words_;          // kept ones
  std::vector<int32_t> sentence_ends_;  // in words_
  int32_t next_centre_ = 0;
  int32_t sentence_begin_ = 0;
  size_t sentence_ = 0;
  std::vector<int32_t> uses_;  // of each input as a context: working memory
};

}  // namespace sesame
