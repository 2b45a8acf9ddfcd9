#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sesame/text/sentencepiece/byte_trie.h"
#include "sesame/text/sentencepiece/score_range.h"
#include "sesame/text/token_model.h"

namespace sesame {

/// The Viterbi search of unigram models, over the bytes of a text. `Sum` is what scores are added up in: float in
/// SentencePiece (0.2.3, unigram_model.cc, EncodeOptimized), double in Hugging Face's library. Among equal paths the
/// first counts, whose last piece is the longest.
template <typename Sum>
struct UnigramPieces {
  ByteTrie trie;            // pieces, by id
  std::vector<Sum> scores;  // by id
  Sum unknown_score = 0;
  /// A sum that is farther from zero is set back to zero, and those behind it by as much: only sums in float are.
  static constexpr Sum reset_threshold =
      std::is_same_v<Sum, float> ? Sum{ScoreRange::reset_threshold} : std::numeric_limits<Sum>::infinity();
  int32_t unknown = -1;  // where a character is no piece of its own; -1: such a text has no path
};

/// The best way to each place in a text.
template <typename Sum>
struct UnigramPaths {
  struct Node {
    Sum score;
    Sum second;  // the best of the other ways, at most
    uint32_t begin;
    int32_t id;
  };
  static constexpr uint32_t unreached = std::numeric_limits<uint32_t>::max();
  std::vector<Node> nodes;
};

/// What the search found out about the choice of pieces.
template <typename Sum>
struct UnigramMargin {
  Sum margin = std::numeric_limits<Sum>::infinity();  // by how much the path was better than others, at least
  size_t characters = 0;                              // no way has more pieces
};

/// Appends the pieces of `text`; characters that are no piece have the id `unknown`. `sum` is what the path begins with
/// and becomes what it ends with. `length_of(text, begin)`: bytes of a character. Returns the first byte of a character
/// that no piece covers where `unknown` is -1, else text.size().
template <typename Sum, typename LengthOf>
size_t find_best_path(const UnigramPieces<Sum>& pieces, std::string_view text, LengthOf&& length_of,
                      UnigramPaths<Sum>& paths, Sum& sum, std::vector<PieceToken>& tokens,
                      UnigramMargin<Sum>* margin = nullptr) {
  using Paths = UnigramPaths<Sum>;
  constexpr Sum lowest = std::numeric_limits<Sum>::lowest();
  auto& nodes = paths.nodes;
  nodes.assign(text.size() + 1, {0, lowest, Paths::unreached, -1});
  nodes[0].score = sum;
  size_t reached = 0;
  size_t characters = 0;
  for (size_t begin = 0; begin < text.size();) {
    if (std::abs(nodes[begin].score) > pieces.reset_threshold) {
      const Sum offset = nodes[begin].score;
      for (size_t i = begin; i <= reached; ++i) {
        if (i == begin || nodes[i].begin != Paths::unreached) nodes[i].score -= offset;
      }
    }
    const Sum till_here = nodes[begin].score;
    const auto offer = [&](size_t end, Sum candidate, int32_t id) {
      auto& node = nodes[end];
      reached = std::max(reached, end);
      if (node.begin == Paths::unreached) {
        node = {candidate, lowest, static_cast<uint32_t>(begin), id};
      } else if (candidate > node.score) {
        node = {candidate, node.score, static_cast<uint32_t>(begin), id};
      } else {
        node.second = std::max(node.second, candidate);
      }
    };
    const size_t length = length_of(text, begin);
    bool single = false;
    pieces.trie.for_each_prefix(text, begin, [&](size_t size, int32_t id) {
      offer(begin + size, pieces.scores[static_cast<size_t>(id)] + till_here, id);
      single = single || size == length;
    });
    if (!single) {
      const Sum candidate = pieces.unknown_score + till_here;
      const auto& node = nodes[begin + length];
      const bool takes_it = node.begin == Paths::unreached || candidate > node.score;
      if (takes_it && pieces.unknown < 0) return begin;
      offer(begin + length, candidate, pieces.unknown);
    }
    begin += length;
    ++characters;
  }
  const size_t first = tokens.size();
  for (size_t end = text.size(); end > 0; end = nodes[end].begin) {
    const auto& node = nodes[end];
    tokens.push_back({node.id, node.begin, static_cast<uint32_t>(end)});
    if (margin != nullptr && node.second != lowest) margin->margin = std::min(margin->margin, node.score - node.second);
  }
  if (margin != nullptr) margin->characters = characters;
  std::reverse(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end());
  sum = nodes[text.size()].score;
  return text.size();
}

}  // namespace sesame
