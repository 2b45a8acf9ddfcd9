#pragma once

#include <span>
#include <vector>

#include "sesame/text/bpe/merge.h"

namespace sesame {

/// What merge_at_once gives, in time that is linear in the number of tokens: merges windows that overlap, each by
/// itself, and goes over from one to the next at a token that both have. False where the tokens are few, or where two
/// windows have none in common however long they are; `merged` is then of no use.
///
/// Exact, whatever the rules: merges inside of a stretch that none crosses happen in the same order with or without
/// what surrounds it. So tokens are those of the whole text if and only if each two neighbours, merged by themselves,
/// stay two tokens, and any two that lie side by side in a window do. (For rules whose ranks rise: H. van Antwerpen and
/// A. Neubeck, "So many tokens, so little time", GitHub 2024.)
bool merge_by_windows(const MergeTable& table, std::span<const PieceToken> tokens, MergeBuffers& buffers,
                      std::vector<PieceToken>& merged);

}  // namespace sesame
