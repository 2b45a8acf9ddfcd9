#pragma once

#include <array>
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

/// Turns pieces of text into ids, most of them from a cache: what the fused BPE encoders share. Pieces come in batches:
/// one pass makes the keys of all and asks memory for their cache lines, the next one copies ids. Where a piece is in
/// no cache, all such pieces of the rest of the batch are cut into the parts that no merge crosses; the parts that are
/// in no cache either are merged together.
class PieceEncoder {
 public:
  static constexpr size_t batch = 256;

  /// Caches of one thread, and what is known of a batch.
  class State {
   public:
    State() = default;

   private:
    friend class PieceEncoder;

    /// A piece without cuts, or a part of one.
    struct Part {
      std::string_view text;
      WordCache::Key key;
      uint64_t hash;
      int32_t id;     // what it is without merges, or -1
      bool is_piece;  // which was looked up already
    };
    /// A piece that is not in the cache of words; its parts begin where those of the one before it end.
    struct Missed {
      size_t piece;
      size_t parts_end;
    };

    WordCache words;
    PieceCache pieces;
    PieceMerger::Buffers buffers;
    std::array<WordCache::Key, batch> keys;
    std::array<uint64_t, batch> hashes;
    std::vector<Missed> missed;
    std::vector<Part> parts;  // of the missed pieces
    bool merged = false;      // the short parts that were not in the cache
    std::vector<PieceMerger::Word> unknown;
    std::vector<const Part*> unknown_parts;
    const char* padded_end = nullptr;  // behind it 16 bytes of text can't be read
  };

  explicit PieceEncoder(std::unique_ptr<const PieceMerger> merger) : merger_(std::move(merger)) {}

  /// Appends the ids of the pieces of text[begin, ...) that end at the distances `ends` from begin: at most `batch`,
  /// each of at least one byte.
  void encode(std::string_view text, size_t begin, std::span<const uint32_t> ends, State& state, IdBuffer& ids) const;

  [[nodiscard]] const PieceMerger& merger() const noexcept { return *merger_; }

 private:
  /// Cuts the pieces from number `first` on that are not in the cache of words into parts: the first piece at least,
  /// and so many more as make a batch of parts.
  void find_missed(const char* base, std::span<const uint32_t> ends, size_t first, State& state) const;
  void add_parts(std::string_view piece, size_t number, State& state) const;
  /// Merges all short parts from number `first` on that are not in the cache, together, and puts them there.
  void merge_unknown(size_t first, State& state) const;
  /// These write the ids of parts, of one by its number or of [begin, end), and return how many they are.
  size_t encode_parts(size_t begin, size_t end, State& state, int32_t* ids) const;
  size_t encode_short(size_t part, State& state, int32_t* ids) const;
  size_t encode_long(std::string_view text, State& state, int32_t* ids) const;

  std::unique_ptr<const PieceMerger> merger_;
};

}  // namespace sesame
