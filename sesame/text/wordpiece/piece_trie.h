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
    int32_t failure = -1;
    int32_t pops = 0;  // pieces taken off on the way to `failure`: 0 none, -n that of node n, n joints_[n - 1]
  };
  /// Two lists of pops, one after the other: lists share their parts, so that all of them take linear memory.
  struct Joint {
    int32_t left;
    int32_t right;
  };
  static constexpr int32_t first_root = 0;
  static constexpr int32_t next_root = 1;
  static constexpr uint64_t child_bits = 28;

  [[nodiscard]] size_t slot(uint64_t key) const noexcept {
    return static_cast<size_t>((key * 0x9E3779B97F4A7C15ull) >> shift_);
  }
  /// The node behind `node` and a byte, or -1.
  [[nodiscard]] int32_t child(int32_t node, uint8_t byte) const noexcept {
    const uint64_t key = (static_cast<uint64_t>(node) << 8) | byte;
    for (size_t i = slot(key);; i = (i + 1) & mask_) {
      if (edges_[i] == 0) return -1;
      if (edges_[i] >> child_bits == key) return static_cast<int32_t>(edges_[i] & ((1u << child_bits) - 1));
    }
  }
  int32_t add_child(int32_t node, uint8_t byte);
  void grow();
  void add(int32_t root, const Piece& piece);
  void link();
  [[nodiscard]] int32_t join(int32_t left, int32_t right);
  void append_pops(int32_t pops, Scratch& scratch) const;

  std::vector<Node> nodes_;
  std::vector<Joint> joints_;
  std::vector<uint64_t> edges_;    // open addressing: node, byte, child; 0 where empty (no edge leads to node 0)
  std::vector<uint64_t> parents_;  // of nodes: node and byte of the edge that leads to it; while the links are made
  size_t mask_ = 0;
  int shift_ = 64;
};

}  // namespace sesame
