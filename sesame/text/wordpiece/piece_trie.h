#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace sesame {

/// Greedy longest match of the pieces of a vocabulary against a word, in time that is linear in the word: LinMaxMatch
/// (Song, Salcianu, Song, Dopson, Zhou: Fast WordPiece Tokenization, arXiv 2012.15524). A trie of the pieces that begin
/// words and one of those that continue them, with failure links: where a match cannot go on, the link leads to the
/// node of what is left once the pieces that are certain by then ("failure pops") are taken off. Bytes, not characters:
/// pieces are UTF-8, so they end where characters do.
class PieceTrie {
 public:
  struct Piece {
    std::string_view text;  // as it stands in a word: without the prefix of continuing pieces; not empty
    int32_t id;
  };
  /// `first`: pieces that begin a word; `next`: pieces that continue one. Of pieces with one text the last counts.
  PieceTrie(const std::vector<Piece>& first, const std::vector<Piece>& next);

  struct Match {
    int32_t id;
    uint32_t length;  // bytes of the word
  };
  struct Scratch {
    std::vector<Match> pieces;
    std::vector<int32_t> waiting;  // parts of a list of pops that come later
  };
  /// Leaves the pieces of a word, which is not empty, in `scratch`; false where it is not made of pieces.
  [[nodiscard]] bool match(std::string_view word, Scratch& scratch) const;

 private:
  struct Node {
    int32_t id = -1;
    uint32_t depth = 0;
    uint32_t failure = no_node;
    int32_t pops = 0;  // pieces taken off on the way to `failure`: 0 none, -n that of node n, n joints_[n - 1]
  };
  /// Two lists of pops, one after the other: lists share their parts, so that all of them take linear memory.
  struct Joint {
    int32_t left;
    int32_t right;
  };

  static constexpr uint32_t no_node = 0xFFFFFFFF;

  /// The place behind a node's and a byte, or no_node.
  [[nodiscard]] uint32_t child(uint32_t node, uint8_t byte) const noexcept {
    const uint32_t place = (units_[node] >> 8) ^ byte;
    return static_cast<uint8_t>(units_[place]) == byte ? place : no_node;
  }
  /// Adds a trie behind those that are there, and returns its root and then its other nodes, parents first.
  std::vector<uint32_t> add_trie(const std::vector<Piece>& pieces, std::vector<uint32_t>& parents);
  void link(uint32_t node, uint32_t parent);
  [[nodiscard]] int32_t join(int32_t left, int32_t right);
  void append_pops(int32_t pops, Scratch& scratch) const;

  // A double array: a node's children stand at its base XOR their byte, which they hold as label. Base << 8 | label.
  std::vector<uint32_t> units_;
  std::vector<Node> nodes_;  // by place
  std::vector<Joint> joints_;
  uint32_t first_root_ = 0;
  uint32_t next_root_ = 0;
};

}  // namespace sesame
