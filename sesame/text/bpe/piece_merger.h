#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sesame/text/bpe/merge.h"

namespace sesame {

/// The merges of one piece of text without places, as the encoders that keep a cache of pieces use them on a miss. With
/// whole_piece, they give the ids of BpeModel. Immutable.
class PieceMerger {
 public:
  /// What calls of one thread work in.
  struct Buffers {
    std::vector<PieceToken> tokens;
    MergeBuffers merge;
    std::string text;
    std::unique_ptr<TokenModel::Scratch> model;
  };

  virtual ~PieceMerger() = default;

  /// Writes the ids of a piece to `ids`, which has room for one a byte, and returns how many they are.
  virtual size_t encode(std::string_view piece, Buffers& buffers, int32_t* ids) const = 0;

  static constexpr size_t max_word = 15;
  struct Word {
    std::string_view text;  // 1 to max_word bytes
    std::array<int32_t, max_word> ids;
    uint32_t count;
  };
  /// Encodes several words at once: while one waits for memory, another one goes on.
  virtual void encode_words(std::span<Word> words, Buffers& buffers) const {
    for (Word& word : words) word.count = static_cast<uint32_t>(encode(word.text, buffers, word.ids.data()));
  }

  /// The token that a whole piece is without any merge, though merges make something else of it; or -1. (Of the tokens
  /// that ignore_merges is about, only these are left: none in most vocabularies.)
  [[nodiscard]] virtual int32_t whole_piece(std::string_view) const { return -1; }

  /// The first place behind `from`, where a character begins, at which a piece may be cut and its parts merged by
  /// themselves; piece.size() if none is known.
  [[nodiscard]] virtual size_t next_cut(std::string_view piece, size_t) const { return piece.size(); }
};

}  // namespace sesame
