#include "sesame/text/unigram/train/expectation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>

#include "sesame/text/unigram/train/random_words.h"

namespace sesame::unigram {
namespace {

struct Example {
  explicit Example(uint32_t seed, size_t sentences, size_t longest_word, int thread_count = 1) : threads(thread_count) {
    text = text_of(random_sentences(seed, sentences, {"a", "b", "c"}, longest_word), {}, threads);
    tree = make_seed_pieces(text, {}, 1 << 20, threads);
  }
  [[nodiscard]] Expectation run() {
    return Expector(text, threads, [] {}).run(tree);
  }
  ThreadPool threads;
  TrainingText text;
  PieceTree tree;
};

/// Every segmentation of a word: f(nodes, probability).
void for_each_segmentation(const PieceTree& tree, const std::vector<double>& scores, uint32_t at, uint32_t end,
                           std::vector<uint32_t>& nodes, double score,
                           const std::function<void(const std::vector<uint32_t>&, double)>& f) {
  if (at == end) return f(nodes, std::exp(score));
  for (uint32_t id = tree.longest[at]; id != PieceTree::kNone; id = tree.nodes[id].parent) {
    nodes.push_back(id);
    for_each_segmentation(tree, scores, at + tree.nodes[id].length, end, nodes, score + scores[id], f);
    nodes.pop_back();
  }
}

Expectation by_enumeration(const TrainingText& text, const PieceTree& tree) {
  std::vector<double> scores(tree.nodes.size(), double{unknown_score(tree)});
  for (const PieceTree::Piece& piece : tree.pieces) scores[piece.node] = double{piece.score};
  const std::vector<uint32_t> piece_of = tree.piece_of_node();
  Expectation result;
  result.counts.resize(tree.pieces.size());
  for (const TrainingText::Word& word : text.words) {
    std::vector<double> counts(tree.pieces.size());
    double sum = 0;
    std::vector<uint32_t> nodes;
    for_each_segmentation(tree, scores, word.begin, word.begin + word.length, nodes, 0,
                          [&](const std::vector<uint32_t>& segmentation, double probability) {
                            sum += probability;
                            for (const uint32_t id : segmentation)
                              counts[piece_of[id] == PieceTree::kNone ? 0 : piece_of[id]] += probability;
                          });
    const auto count = static_cast<double>(word.count);
    for (size_t i = 0; i < counts.size(); ++i) result.counts[i] += count * counts[i] / sum;
    result.log_likelihood += count * std::log(sum);
  }
  return result;
}

void expect_equal(const Expectation& a, const Expectation& b) {
  EXPECT_NEAR(a.log_likelihood, b.log_likelihood, 1e-9 * std::abs(b.log_likelihood));
  ASSERT_EQ(a.counts.size(), b.counts.size());
  for (size_t i = 0; i < a.counts.size(); ++i) EXPECT_NEAR(a.counts[i], b.counts[i], 1e-9 * (1 + b.counts[i]));
}

TEST(Expectation, IsThatOfAllSegmentations) {
  for (const uint32_t seed : {1u, 2u, 3u}) {
    Example example(seed, 20, 7);
    const Expectation expected = by_enumeration(example.text, example.tree);
    expect_equal(example.run(), expected);
  }
}

TEST(Expectation, CharactersThatAreNoPiecesCountForTheFirst) {
  Example example(4, 20, 7);
  std::vector<PieceTree::Piece> kept = example.tree.pieces;
  kept.erase(kept.begin() + 2);
  ASSERT_LT(kept[2].node, 100u);
  example.tree.keep(kept, example.threads);
  const Expectation expected = by_enumeration(example.text, example.tree);
  expect_equal(example.run(), expected);
}

TEST(Expectation, MarginalsCoverEveryLetterOnce) {
  Example example(5, 200, 30);
  const Expectation expectation = example.run();
  double letters = 0;
  for (size_t i = 0; i < expectation.counts.size(); ++i)
    letters += expectation.counts[i] * example.tree.nodes[example.tree.pieces[i].node].length;
  double all = 0;
  for (const TrainingText::Word& word : example.text.words) all += static_cast<double>(word.length * word.count);
  EXPECT_NEAR(letters, all, 1e-6 * all);
}

TEST(Expectation, SumsThatLeaveTheRangeAreDoneInLogarithms) {
  Example example(6, 30, 7);
  // One piece is so improbable, and so needed, that no scale fits the words with and without it.
  example.tree.pieces[0].score = -400;
  const Expectation expected = by_enumeration(example.text, example.tree);
  expect_equal(example.run(), expected);
  Example longer(7, 1, 6000);
  for (PieceTree::Piece& piece : longer.tree.pieces)
    piece.score = longer.tree.nodes[piece.node].length == 1 ? -3 : -300;
  const Expectation expectation = longer.run();
  EXPECT_TRUE(std::isfinite(expectation.log_likelihood));
  double letters = 0;
  for (size_t i = 0; i < expectation.counts.size(); ++i)
    letters += expectation.counts[i] * longer.tree.nodes[longer.tree.pieces[i].node].length;
  double all = 0;
  for (const TrainingText::Word& word : longer.text.words) all += static_cast<double>(word.length * word.count);
  EXPECT_NEAR(letters, all, 1e-6 * all);
}

TEST(Expectation, SameBitsForAnyNumberOfThreads) {
  Example one(8, 3000, 12, 1);
  const Expectation expected = one.run();
  for (const int count : {2, 3}) {
    Example more(8, 3000, 12, count);
    const Expectation expectation = more.run();
    EXPECT_EQ(expectation.log_likelihood, expected.log_likelihood);
    EXPECT_EQ(expectation.counts, expected.counts);
  }
}

TEST(Expectation, MaximizationNeverLowersTheLikelihood) {
  Example example(9, 300, 10);
  Expector expector(example.text, example.threads, [] {});
  double last = -std::numeric_limits<double>::infinity();
  double first = 0;
  for (int i = 0; i < 8; ++i) {
    const Expectation expectation = expector.run(example.tree);
    EXPECT_GE(expectation.log_likelihood, last - 1e-4);
    if (i == 0) first = expectation.log_likelihood;
    last = expectation.log_likelihood;
    const double sum = std::accumulate(expectation.counts.begin(), expectation.counts.end(), 0.0);
    for (size_t k = 0; k < expectation.counts.size(); ++k)
      example.tree.pieces[k].score = static_cast<float>(std::log((expectation.counts[k] + 1e-12) / sum));
  }
  EXPECT_GT(last, first + 1);
}

}  // namespace
}  // namespace sesame::unigram
