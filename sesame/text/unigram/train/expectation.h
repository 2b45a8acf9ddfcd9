#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/text/unigram/train/piece_tree.h"

namespace sesame::unigram {

/// How often each piece is expected in the words, and how likely they are.
struct Expectation {
  std::vector<double> counts;  // by piece; characters that are no pieces count for the first one, as in SentencePiece
  double log_likelihood = 0;   // of all words, nats
};

/// The score of a character that is no piece.
float unknown_score(const PieceTree& tree);

/// Forward and backward sums over the lattices of words (Kudo 2018, section 3.2).
///
/// Probabilities are multiplied as they are, in double precision, times exp(-nats per letter) for every letter, so that
/// sums over prefixes of ordinary words stay near 1; a word whose sums leave [1e-100, 1e100] nevertheless is done again
/// with logarithms. Counts are summed as integers, units of 2^-k that no total overflows: the order of sums, and so the
/// number of threads, does not matter.
class Expector {
 public:
  /// `text` must outlive it. `stop` as in UnigramTrainerOptions.
  Expector(const TrainingText& text, ThreadPool& threads, std::function<void()> check_stop);

  /// Sets the weights of the tree.
  Expectation run(PieceTree& tree);

 private:
  void estimate_nats_per_letter(const PieceTree& tree);
  void set_weights(PieceTree& tree) const;

  const TrainingText& text_;
  ThreadPool& threads_;
  std::function<void()> check_stop_;
  uint64_t mass_ = 0;  // letters of all words
  double unit_ = 1;    // what 1 is, in the integers
  double nats_per_letter_ = 0;
  std::vector<uint32_t> blocks_;  // first word of each, and the end
};

/// The same for one word with logarithms: slow and safe whatever the scores. Weights of nodes are scores here. Adds
/// `count` times the posterior of each node in the lattice of letters [begin, begin + length) to f(node, expected) and
/// returns the log-likelihood of the word once.
double expect_in_logs(const PieceTree& tree, std::span<const double> node_scores, uint32_t begin, uint32_t length,
                      double count, FunctionRef<void(uint32_t node, double expected)> f);

}  // namespace sesame::unigram
