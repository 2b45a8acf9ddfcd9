#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "sesame/text/sentencepiece/byte_trie.h"
#include "sesame/text/sentencepiece/score_range.h"
#include "sesame/text/token_model.h"

namespace sesame {

/// The Viterbi search of unigram models, over the bytes of a text. `Sum` is what scores are added up in: float in
/// SentencePiece (0.2.3, unigram_model.cc, EncodeOptimized), double in Hugging Face's library. Among equal paths the
/// first counts, whose last piece is the longest.
template <typename Sum>
class UnigramPieces {
 public:
  /// A score is no farther from zero, so that no sum is infinite.
  static constexpr Sum largest_score = Sum{1e30F};
  /// A sum that is farther from zero is set back to zero, and those behind it by as much: only sums in float are.
  static constexpr Sum reset_threshold =
      std::is_same_v<Sum, float> ? Sum{ScoreRange::reset_threshold} : std::numeric_limits<Sum>::infinity();
  struct Piece {
    Sum score = -std::numeric_limits<Sum>::infinity();
    int32_t id = -1;
  };

  UnigramPieces() = default;
  /// `strings`: pieces and their ids; `scores`: by id, log-probabilities.
  UnigramPieces(std::vector<std::pair<std::string_view, int32_t>> strings, std::vector<Sum> scores)
      : scores_(std::move(scores)) {
    std::vector<double> weights(scores_.size());
    std::transform(scores_.begin(), scores_.end(), weights.begin(),
                   [](Sum score) { return std::exp(std::min(static_cast<double>(score), 0.0)); });
    trie_ = ByteTrie(std::move(strings), weights);
    by_place_.resize(trie_.values().size());
    for (size_t place = 0; place < by_place_.size(); ++place) {
      const int32_t id = trie_.values()[place];
      if (id >= 0) by_place_[place] = {scores_[static_cast<size_t>(id)], id};
    }
  }

  [[nodiscard]] const ByteTrie& trie() const noexcept { return trie_; }
  [[nodiscard]] std::span<const Sum> scores() const noexcept { return scores_; }  // by id
  /// The piece at a place of the trie; at 0 one that no path takes.
  [[nodiscard]] const Piece& at(uint32_t place) const { return by_place_[place]; }

  Sum unknown_score = 0;
  int32_t unknown = -1;  // where a character is no piece of its own; -1: such a text has no path

 private:
  ByteTrie trie_;
  std::vector<Sum> scores_;
  std::vector<Piece> by_place_;
};

/// The best way to each place in a text.
template <typename Sum>
struct UnigramPaths {
  static constexpr Sum lowest = -std::numeric_limits<Sum>::infinity();
  struct Node {
    Sum score = lowest;   // the lowest where there is no way
    Sum second = lowest;  // of the best of the other ways, at most
    uint32_t begin = 0;
    int32_t id = -1;
  };
  std::vector<Node> nodes;

  /// A way to `end` whose last piece begins at `begin`.
  void offer(size_t begin, size_t end, Sum candidate, int32_t id) {
    Node& node = nodes[end];
    const Sum score = node.score;
    const bool takes = candidate > score;
    node.score = takes ? candidate : score;
    node.second = std::max(node.second, takes ? score : candidate);
    node.begin = takes ? static_cast<uint32_t>(begin) : node.begin;
    node.id = takes ? id : node.id;
  }
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
  auto& nodes = paths.nodes;
  nodes.assign(text.size() + 1, {});
  nodes[0].score = sum;
  size_t characters = 0;
  for (size_t begin = 0; begin < text.size(); ++characters) {
    if (std::abs(nodes[begin].score) > pieces.reset_threshold) {
      const Sum offset = nodes[begin].score;
      for (size_t i = begin; i < nodes.size(); ++i) nodes[i].score -= offset;
    }
    const Sum till_here = nodes[begin].score;
    const size_t length = length_of(text, begin);
    bool single = false;
    pieces.trie().for_each_place(text, begin, [&](size_t size, uint32_t place) {
      const auto& piece = pieces.at(place);
      paths.offer(begin, begin + size, piece.score + till_here, piece.id);
      single |= size == length;
    });
    if (!single) {
      const Sum candidate = pieces.unknown_score + till_here;
      if (pieces.unknown < 0 && candidate > nodes[begin + length].score) return begin;
      paths.offer(begin, begin + length, candidate, pieces.unknown);
    }
    begin += length;
  }
  const size_t first = tokens.size();
  for (size_t end = text.size(); end > 0; end = nodes[end].begin) {
    const auto& node = nodes[end];
    tokens.push_back({node.id, node.begin, static_cast<uint32_t>(end)});
    if (margin != nullptr && node.second != Paths::lowest) {
      margin->margin = std::min(margin->margin, node.score - node.second);
    }
  }
  if (margin != nullptr) margin->characters = characters;
  std::reverse(tokens.begin() + static_cast<std::ptrdiff_t>(first), tokens.end());
  sum = nodes[text.size()].score;
  return text.size();
}

}  // namespace sesame
