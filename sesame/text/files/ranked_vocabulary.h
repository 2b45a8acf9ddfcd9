#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Longer tokens are refused: finding a token's merge takes time that grows with the square of its length. tiktoken's
/// longest has 128 bytes.
inline constexpr size_t max_ranked_bytes = 4096;

struct RankedToken {
  std::string bytes;
  int32_t id;
};

/// The byte-level BPE model of a vocabulary that names no merges, only ranks, as tiktoken's: any two neighbours that
/// form a token merge, lowest rank first. `tokens` by rank, which rises with the id. Sets model and vocabulary; the
/// stages around them are the caller's (byte_level_stages.h).
void set_ranked_model(const std::vector<RankedToken>& tokens, TokenizerSpec& spec);

}  // namespace sesame
