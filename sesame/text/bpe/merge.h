#pragma once

#include <cstdint>
#include <span>
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
  std::vector<Symbol> symbols;
  std::vector<uint64_t> heap;
  std::vector<uint32_t> few_rules;  // of neighbours: of few tokens, of all
  std::vector<uint32_t> all_rules;
  std::vector<PieceToken> here;  // of windows: the last one, the one behind it, one that lies over both
  std::vector<PieceToken> next;
  std::vector<PieceToken> bridge;
  std::vector<PieceToken> merged;
};

/// Merges neighbours as long as a rule applies, always by the rule of lowest rank and of the leftmost such pair; a
/// merged token reaches from the begin of the left one to the end of the right one. Tokens with negative ids never
/// merge. Linear in the number of tokens but for rules made to be slow, where it is n log n.
void merge(const MergeTable& table, std::vector<PieceToken>& tokens, MergeBuffers& buffers);

/// The same, all at once: n log n in the number of tokens.
void merge_at_once(const MergeTable& table, std::span<const PieceToken> tokens, MergeBuffers& buffers,
                   std::vector<PieceToken>& merged);

}  // namespace sesame
