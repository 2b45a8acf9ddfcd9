#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/text/unigram/train/piece_rules.h"
#include "sesame/text/unigram/train/training_text.h"

namespace sesame::unigram {

/// The pieces as a tree in which each one hangs below its longest proper prefix that is a piece. With the longest piece
/// that begins at each letter of the text, it is the lattice of every word, without any look-up: the pieces that begin
/// at a letter are that one and all above it. A letter that is no piece stands in the tree all the same.
struct PieceTree {
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

  struct Node {
    double weight = 0;        // what the pass over the lattices at hand needs: a probability or its logarithm
    uint32_t parent = kNone;  // lies before it
    uint32_t length = 1;      // letters
  };
  /// In SentencePiece's order, which decides between equals.
  struct Piece {
    uint32_t node = 0;
    float score = 0;  // logarithm of the probability
  };

  std::vector<Node> nodes;          // letters by rank, then longer pieces: near strings near each other
  std::vector<uint32_t> positions;  // by node: where in the text it stands once; kNone for a letter that never does
  std::vector<uint32_t> longest;    // by position in the text: the longest piece that begins there
  std::vector<Piece> pieces;
  uint32_t letters = 0;        // nodes that are single letters
  uint32_t longest_piece = 1;  // letters

  /// The lowest score of all.
  [[nodiscard]] float min_score() const;
  /// Node to place in `pieces`, kNone for a letter that is no piece.
  [[nodiscard]] std::vector<uint32_t> piece_of_node() const;
  /// Keeps `kept`, in this order, and the letters.
  void keep(std::vector<Piece> kept, ThreadPool& threads);
};

/// The seeds of the training: every letter of the text but ▅, and the `seed_size` substrings with the highest frequency
/// times length among those that may be pieces, occur twice or more, and cannot be made longer without becoming rarer
/// (the inner nodes of the suffix tree), each with the logarithm of its share of frequency times length.
PieceTree make_seed_pieces(const TrainingText& text, const PieceRules& rules, int64_t seed_size, ThreadPool& threads);

}  // namespace sesame::unigram
