#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sesame/text/bpe/merge.h"

namespace sesame {

/// BPE of one piece of text without places, as the encoders that keep a cache of pieces use it on a miss. Gives the ids
/// of BpeModel. Immutable.
class PieceMerger {
 public:
  /// What calls of one thread work in.
  struct Buffers {
    std::vector<PieceToken> tokens;
    MergeBuffers merge;
  };

  virtual ~PieceMerger() = default;

  /// Writes the ids of a piece to `ids`, which has room for one a byte, and returns how many they are.
  virtual size_t encode(std::string_view piece, Buffers& buffers, int32_t* ids) const = 0;
};

}  // namespace sesame
