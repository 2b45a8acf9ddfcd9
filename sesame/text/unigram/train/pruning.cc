#include "sesame/text/unigram/train/pruning.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <utility>

#include "sesame/text/unigram/train/expectation.h"

namespace sesame::unigram {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Reached {
  float score = kNever;
  uint32_t node = PieceTree::kNone;  // the last one on the best way here
};

/// Best segmentations, in single precision as SentencePiece finds them: among equals the one whose last piece is
/// longer.
class Segmenter {
 public:
  explicit Segmenter(const PieceTree& tree) : tree_(tree) {}

  /// Of letters [begin, begin + length), without the node `left_out`. Returns the score; f(node) for each piece, the
  /// last one first.
  template <typename F>
  float best(uint32_t begin, uint32_t length, uint32_t left_out, F&& f) {
    if (reached_.size() <= length) reached_.resize(length + 1);
    Reached* const reached = reached_.data();
    std::fill_n(reached, length + 1, Reached{});
    reached[0].score = 0;
    for (uint32_t at = 0; at < length; ++at) {
      for (uint32_t id = tree_.longest[begin + at]; id != PieceTree::kNone; id = tree_.nodes[id].parent) {
        const PieceTree::Node& node = tree_.nodes[id];
        if (at + node.length > length || id == left_out) continue;
        const float score = reached[at].score + static_cast<float>(node.weight);
        Reached& end = reached[at + node.length];
        if (score > end.score) end = {score, id};
      }
    }
    for (uint32_t at = length; at > 0; at -= tree_.nodes[reached[at].node].length) f(reached[at].node);
    return reached[length].score;
  }

 private:
  const PieceTree& tree_;
  std::vector<Reached> reached_;
};

/// What takes the place of each piece: nodes [ends[i - 1], ends[i]) of `nodes`; whether it is worth keeping at all.
struct Replacements {
  std::vector<std::vector<uint32_t>> nodes;  // by block of pieces
  std::vector<uint32_t> ends;                // by piece, in its block
  std::vector<uint8_t> best_whole;
  static constexpr size_t kBlock = 1 << 12;

  [[nodiscard]] std::span<const uint32_t> of(size_t piece) const {
    const uint32_t begin = piece % kBlock == 0 ? 0 : ends[piece - 1];
    return std::span(nodes[piece / kBlock]).subspan(begin, ends[piece] - begin);
  }
};

void set_scores(PieceTree& tree) {
  for (PieceTree::Node& node : tree.nodes) node.weight = double{kNever};
  const double unknown{unknown_score(tree)};
  for (uint32_t letter = 0; letter < tree.letters; ++letter) tree.nodes[letter].weight = unknown;
  for (const PieceTree::Piece& piece : tree.pieces) tree.nodes[piece.node].weight = double{piece.score};
}

Replacements find_replacements(const PieceTree& tree, ThreadPool& threads, const std::function<void()>& check_stop) {
  const size_t pieces = tree.pieces.size();
  Replacements result;
  result.nodes.resize((pieces + Replacements::kBlock - 1) / Replacements::kBlock);
  result.ends.resize(pieces);
  result.best_whole.resize(pieces);
  threads.run(static_cast<int64_t>(result.nodes.size()), [&](int64_t b, int) {
    check_stop();
    const auto block = static_cast<size_t>(b);
    std::vector<uint32_t>& nodes = result.nodes[block];
    Segmenter segmenter(tree);
    for (size_t i = block * Replacements::kBlock; i < std::min(pieces, (block + 1) * Replacements::kBlock); ++i) {
      const uint32_t id = tree.pieces[i].node;
      const uint32_t length = tree.nodes[id].length;
      result.best_whole[i] = 1;
      if (length > 1) {
        const size_t first = nodes.size();
        const float score =
            segmenter.best(tree.positions[id], length, id, [&](uint32_t node) { nodes.push_back(node); });
        std::reverse(nodes.begin() + static_cast<int64_t>(first), nodes.end());
        if (score > tree.pieces[i].score) {
          result.best_whole[i] = 0;
          nodes.resize(first);
        }
      }
      result.ends[i] = static_cast<uint32_t>(nodes.size());
    }
  });
  return result;
}

/// How often each node stands in the best segmentations of the words.
std::vector<uint64_t> count_best(const TrainingText& text, const PieceTree& tree, ThreadPool& threads,
                                 const std::function<void()>& check_stop) {
  constexpr size_t kBlock = 1 << 11;
  std::vector<std::vector<uint64_t>> counts(static_cast<size_t>(threads.threads()));
  for (std::vector<uint64_t>& c : counts) c.resize(tree.nodes.size());
  threads.run(static_cast<int64_t>((text.words.size() + kBlock - 1) / kBlock), [&](int64_t block, int thread) {
    check_stop();
    std::vector<uint64_t>& mine = counts[static_cast<size_t>(thread)];
    Segmenter segmenter(tree);
    const size_t begin = static_cast<size_t>(block) * kBlock;
    for (size_t i = begin; i < std::min(text.words.size(), begin + kBlock); ++i) {
      const TrainingText::Word& word = text.words[i];
      segmenter.best(word.begin, word.length, PieceTree::kNone, [&](uint32_t node) { mine[node] += word.count; });
    }
  });
  for (size_t t = 1; t < counts.size(); ++t)
    std::transform(counts[0].begin(), counts[0].end(), counts[t].begin(), counts[0].begin(), std::plus<>());
  return std::move(counts[0]);
}

struct Ranked {
  float loss = 0;
  uint32_t piece = 0;
};

}  // namespace

std::vector<PieceTree::Piece> prune(const TrainingText& text, PieceTree& tree, size_t target, UnigramLoss loss,
                                    ThreadPool& threads, const std::function<void()>& check_stop) {
  set_scores(tree);
  const Replacements replacements = find_replacements(tree, threads, check_stop);
  const std::vector<uint64_t> counts = count_best(text, tree, threads, check_stop);

  // SentencePiece counts characters that are no pieces for its first piece.
  const std::vector<uint32_t> piece_of_node = tree.piece_of_node();
  const auto piece_of = [&](uint32_t node) {
    return piece_of_node[node] == PieceTree::kNone ? 0 : piece_of_node[node];
  };
  std::vector<float> frequency(tree.pieces.size());
  {
    std::vector<uint64_t> exact(tree.pieces.size());
    for (uint32_t node = 0; node < counts.size(); ++node) exact[piece_of(node)] += counts[node];
    std::transform(exact.begin(), exact.end(), frequency.begin(), [](uint64_t c) { return static_cast<float>(c); });
  }
  double words = 0;
  for (const TrainingText::Word& word : text.words) words += static_cast<double>(word.count);
  const float all_words = static_cast<float>(words);
  double all = 0;
  for (const float f : frequency) all += f;
  const float sum = static_cast<float>(all);
  const float log_sum = static_cast<float>(std::log(double{sum}));

  std::vector<PieceTree::Piece> kept;
  std::vector<Ranked> candidates;
  for (uint32_t i = 0; i < tree.pieces.size(); ++i) {
    if (frequency[i] == 0 || replacements.best_whole[i] == 0) continue;
    const std::span<const uint32_t> instead = replacements.of(i);
    if (instead.empty()) {
      kept.push_back(tree.pieces[i]);
      continue;
    }
    const size_t more = loss == UnigramLoss::replacing_pieces ? instead.size() : tree.pieces.size();
    const float log_whole = static_cast<float>(std::log(double{frequency[i]}) - log_sum);
    const float log_sum_instead =
        static_cast<float>(std::log(static_cast<double>(sum + frequency[i] * static_cast<float>(more - 1))));
    float log_instead = 0;
    for (const uint32_t node : instead) {
      log_instead = static_cast<float>(
          log_instead + (std::log(static_cast<double>(frequency[piece_of(node)] + frequency[i])) - log_sum_instead));
    }
    candidates.push_back({frequency[i] / all_words * (log_whole - log_instead), i});
  }
  std::sort(candidates.begin(), candidates.end(),
            [](const Ranked& a, const Ranked& b) { return a.loss != b.loss ? a.loss > b.loss : a.piece < b.piece; });
  for (const Ranked& candidate : candidates) {
    if (kept.size() == target) break;
    kept.push_back(tree.pieces[candidate.piece]);
  }
  return kept;
}

}  // namespace sesame::unigram
