#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/text/bpe/piece_merger.h"
#include "sesame/text/encode/id_buffer.h"
#include "sesame/text/encode/piece_cache.h"
#include "sesame/text/encode/word_cache.h"

namespace sesame {

/// Turns pieces of text into ids, most of them from a cache: what the fused BPE encoders share. Pieces come in batches,
/// in passes without unpredictable branches: one makes the keys of all and asks memory for their cache lines, one
/// compares, one merges what the cache lacks, and one copies ids.
class PieceEncoder {
 public:
  /// Caches of one thread.
  struct State {
    WordCache words;
    PieceCache pieces;
    PieceMerger::Buffers buffers;
    std::vector<int32_t> others;  // ids of pieces of one batch that are not in the cache of words
  };
  static constexpr size_t batch = 256;

  explicit PieceEncoder(std::unique_ptr<const PieceMerger> merger) : merger_(std::move(merger)) {}

  /// Appends the ids of the pieces of text[begin, ...) that end at the distances `ends` from begin: at most `batch`,
  /// each of at least one byte.
  void encode(std::string_view text, size_t begin, std::span<const uint32_t> ends, State& state, IdBuffer& ids) const;

  [[nodiscard]] const PieceMerger& merger() const noexcept { return *merger_; }

 private:
  struct Batch;
  /// Finds the ids of the pieces of a batch that are not in the cache of words.
  void encode_missed(Batch& pieces, State& state) const;
  /// Finds the others again after the cache has changed.
  void find_again(Batch& pieces, State& state) const;
  /// An entry that says where in State::others the ids of a piece are, which encode(ids) writes and counts.
  template <typename Encode>
  WordCache::Entry keep_other(std::string_view piece, State& state, Encode encode) const;

  // These write the ids of a piece, or part of one, and return how many they are.
  size_t encode_piece(std::string_view piece, State& state, int32_t* ids) const;
  size_t encode_parts(std::string_view piece, size_t cut, State& state, int32_t* ids) const;
  size_t encode_whole(std::string_view piece, State& state, int32_t* ids) const;

  std::unique_ptr<const PieceMerger> merger_;
};

}  // namespace sesame
