#include "sesame/text/unigram/train/pruning.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "sesame/text/unigram/train/expectation.h"
#include "sesame/text/unigram/train/random_words.h"

namespace sesame::unigram {
namespace {

using Path = std::vector<uint32_t>;

/// The best segmentation by enumeration, without `left_out`.
std::pair<double, Path> best(const PieceTree& tree, const std::vector<double>& scores, uint32_t begin, uint32_t length,
                             uint32_t left_out) {
  std::pair<double, Path> result{-std::numeric_limits<double>::infinity(), {}};
  Path path;
  const std::function<void(uint32_t, double)> visit = [&](uint32_t at, double score) {
    if (at == length && score > result.first) result = {score, path};
    if (at == length) return;
    for (uint32_t id = tree.longest[begin + at]; id != PieceTree::kNone; id = tree.nodes[id].parent) {
      if (id == left_out || at + tree.nodes[id].length > length) continue;
      path.push_back(id);
      visit(at + tree.nodes[id].length, score + scores[id]);
      path.pop_back();
    }
  };
  visit(0, 0);
  return result;
}

struct Expected {
  std::set<uint32_t> always;
  std::map<uint32_t, double> losses;  // by node
};

Expected by_definition(const TrainingText& text, const PieceTree& tree, UnigramLoss loss) {
  std::vector<double> scores(tree.nodes.size(), double{unknown_score(tree)});
  for (const PieceTree::Piece& piece : tree.pieces) scores[piece.node] = double{piece.score};
  std::vector<double> count(tree.nodes.size());
  double words = 0;
  double sum = 0;
  for (const TrainingText::Word& word : text.words) {
    words += static_cast<double>(word.count);
    for (const uint32_t id : best(tree, scores, word.begin, word.length, PieceTree::kNone).second) {
      count[id] += static_cast<double>(word.count);
      sum += static_cast<double>(word.count);
    }
  }
  Expected expected;
  for (const PieceTree::Piece& piece : tree.pieces) {
    const double n = count[piece.node];
    if (n == 0) continue;
    if (tree.nodes[piece.node].length == 1) {
      expected.always.insert(piece.node);
      continue;
    }
    const auto [score, path] =
        best(tree, scores, tree.positions[piece.node], tree.nodes[piece.node].length, piece.node);
    if (score > scores[piece.node]) continue;
    const auto more = static_cast<double>(loss == UnigramLoss::all_pieces ? tree.pieces.size() : path.size()) - 1;
    double instead = 0;
    for (const uint32_t id : path) instead += std::log(count[id] + n) - std::log(sum + n * more);
    expected.losses[piece.node] = n / words * (std::log(n / sum) - instead);
  }
  return expected;
}

class Pruning : public testing::TestWithParam<UnigramLoss> {};

TEST_P(Pruning, KeepsThePiecesWithoutWhichMostIsLost) {
  ThreadPool threads(2);
  const TrainingText text = text_of(random_sentences(11, 60, {"a", "b", "c"}, 9), {}, threads);
  PieceTree tree = make_seed_pieces(text, {}, 1 << 20, threads);
  // Scores that tie nowhere.
  for (size_t i = 0; i < tree.pieces.size(); ++i)
    tree.pieces[i].score += static_cast<float>(0.5 * std::sin(static_cast<double>(i) * 1.7));
  const Expected expected = by_definition(text, tree, GetParam());
  ASSERT_GT(expected.losses.size(), 40u);
  ASSERT_LT(expected.always.size() + expected.losses.size(), tree.pieces.size());

  const size_t target = expected.always.size() + expected.losses.size() / 2;
  const std::vector<PieceTree::Piece> kept = prune(text, tree, target, GetParam(), threads, [] {});
  ASSERT_EQ(kept.size(), target);
  std::set<uint32_t> left;
  for (const auto& [node, loss] : expected.losses) left.insert(node);
  double last = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < kept.size(); ++i) {
    if (i < expected.always.size()) {
      EXPECT_TRUE(expected.always.contains(kept[i].node));
      continue;
    }
    ASSERT_TRUE(expected.losses.contains(kept[i].node));
    EXPECT_LE(expected.losses.at(kept[i].node), last + 1e-4);
    last = expected.losses.at(kept[i].node);
    left.erase(kept[i].node);
  }
  for (const uint32_t node : left) EXPECT_LE(expected.losses.at(node), last + 1e-4);
}

TEST_P(Pruning, DropsWhatIsNeverNeeded) {
  ThreadPool threads(1);
  const TrainingText text = text_of(random_sentences(12, 60, {"a", "b", "c"}, 9), {}, threads);
  PieceTree tree = make_seed_pieces(text, {}, 1 << 20, threads);
  const Expected expected = by_definition(text, tree, GetParam());
  const std::vector<PieceTree::Piece> kept = prune(text, tree, tree.pieces.size(), GetParam(), threads, [] {});
  EXPECT_EQ(kept.size(), expected.always.size() + expected.losses.size());
}

INSTANTIATE_TEST_SUITE_P(Losses, Pruning, testing::Values(UnigramLoss::all_pieces, UnigramLoss::replacing_pieces));

}  // namespace
}  // namespace sesame::unigram
