#pragma once

#include <cstdint>
#include <vector>

#include "sesame/text/bpe/merge_table.h"
#include "sesame/text/token_model.h"

namespace sesame {

/// What merge works in; its memory is used again.
struct MergeBuffers {
  struct Symbol {
    PieceToken token;
    uint32_t rule;  // of the pair with the next symbol
    uint32_t previous;
    uint32_t next;
  };
  std::vector<uint32_t> rules;
  std::vector<Symbol> symbols;
  std::vector<uint64_t> heap;
};

/// Merges neighbours as long as a rule applies, always by the rule of lowest rank and of the leftmost such pair; a
/// merged token reaches from the begin of the left one to the end of the right one. Tokens with negative ids never
/// merge. n log n in the number of tokens.
void merge(const MergeTable& table, std::vector<PieceToken>& tokens, MergeBuffers& buffers);

}  // namespace sesame
