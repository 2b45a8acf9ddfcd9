#include "sesame/text/unigram/train/expectation.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace sesame::unigram {
namespace {

constexpr double kLeast = 1e-100;
constexpr double kMost = 1e100;
constexpr size_t kBlockLetters = 1 << 14;

/// Of a number that is not negative. (Half a unit more or less is nothing: units are tiny.)
int64_t rounded(double x) { return static_cast<int64_t>(x + 0.5); }  // NOLINT(bugprone-incorrect-roundings): fast

struct Edge {
  double weight;
  uint32_t node;
  uint32_t length;
};

/// What one thread needs.
struct Scratch {
  std::vector<Edge> edges;      // by beginning
  std::vector<uint32_t> first;  // edge, by beginning
  std::vector<double> forward;  // by place between letters
  std::vector<double> backward;
  std::vector<int64_t> counts;    // by node, in units
  std::vector<uint32_t> in_logs;  // words that are to be done again
};

/// Sums of the weights of all paths from the start of a word to each place, and the edges that they take. False where
/// one leaves the range that can be trusted.
bool go_forward(const PieceTree& tree, const TrainingText::Word& word, Scratch& s) {
  const uint32_t length = word.length;
  const PieceTree::Node* const nodes = tree.nodes.data();
  const uint32_t* const longest = tree.longest.data() + word.begin;
  if (s.forward.size() <= length) {
    s.forward.resize(length + 1);
    s.backward.resize(length + 1);
    s.first.resize(length + 1);
  }
  if (s.edges.size() < size_t{length} * tree.longest_piece) s.edges.resize(size_t{length} * tree.longest_piece);
  double* const forward = s.forward.data();
  std::fill_n(forward, length + 1, 0.0);
  forward[0] = 1;
  Edge* edge = s.edges.data();
  double least = 1;
  double most = 1;
  for (uint32_t begin = 0; begin < length; ++begin) {
    s.first[begin] = static_cast<uint32_t>(edge - s.edges.data());
    const double here = forward[begin];
    least = std::min(least, here);
    most = std::max(most, here);
    uint32_t id = longest[begin];
    do {
      const PieceTree::Node& node = nodes[id];
      *edge++ = {node.weight, id, node.length};
      forward[begin + node.length] += here * node.weight;
      id = node.parent;
    } while (id != PieceTree::kNone);
  }
  s.first[length] = static_cast<uint32_t>(edge - s.edges.data());
  least = std::min(least, forward[length]);
  most = std::max(most, forward[length]);
  return least >= kLeast && most <= kMost;  // neither holds for a NaN, which infinity begets
}

/// Adds `count` units times the posterior probability of every edge.
void go_backward(const TrainingText::Word& word, double count, Scratch& s) {
  const uint32_t length = word.length;
  const double* const forward = s.forward.data();
  double* const backward = s.backward.data();
  int64_t* const counts = s.counts.data();
  backward[length] = count / forward[length];
  for (uint32_t begin = length; begin-- > 0;) {
    const double here = forward[begin];
    double sum = 0;
    const Edge* const end = s.edges.data() + s.first[begin + 1];
    for (const Edge* edge = s.edges.data() + s.first[begin]; edge != end; ++edge) {
      const double rest = edge->weight * backward[begin + edge->length];
      sum += rest;
      counts[edge->node] += rounded(here * rest);
    }
    backward[begin] = sum;
  }
}

std::vector<double> scores_of_nodes(const PieceTree& tree) {
  std::vector<double> scores(tree.nodes.size(), -std::numeric_limits<double>::infinity());
  std::fill_n(scores.begin(), tree.letters, double{unknown_score(tree)});
  for (const PieceTree::Piece& piece : tree.pieces) scores[piece.node] = double{piece.score};
  return scores;
}

double log_sum(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == -std::numeric_limits<double>::infinity() ? a : a + std::log1p(std::exp(b - a));
}

}  // namespace

float unknown_score(const PieceTree& tree) {
  constexpr float kPenalty = 10;
  return tree.min_score() - kPenalty;
}

double expect_in_logs(const PieceTree& tree, std::span<const double> node_scores, uint32_t begin, uint32_t length,
                      double count, FunctionRef<void(uint32_t node, double expected)> f) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  std::vector<double> forward(length + 1, kNever);
  std::vector<double> backward(length + 1, kNever);
  const auto for_each_edge = [&](uint32_t at, auto&& visit) {
    for (uint32_t id = tree.longest[begin + at]; id != PieceTree::kNone; id = tree.nodes[id].parent)
      visit(id, at + tree.nodes[id].length);
  };
  forward[0] = 0;
  for (uint32_t at = 0; at < length; ++at) {
    for_each_edge(
        at, [&](uint32_t id, uint32_t end) { forward[end] = log_sum(forward[end], forward[at] + node_scores[id]); });
  }
  backward[length] = 0;
  for (uint32_t at = length; at-- > 0;) {
    for_each_edge(at, [&](uint32_t id, uint32_t end) {
      const double rest = node_scores[id] + backward[end];
      backward[at] = log_sum(backward[at], rest);
      f(id, count * std::exp(forward[at] + rest - forward[length]));
    });
  }
  return forward[length];
}

Expector::Expector(const TrainingText& text, ThreadPool& threads, std::function<void()> check_stop)
    : text_(text), threads_(threads), check_stop_(std::move(check_stop)) {
  size_t letters = kBlockLetters;
  for (uint32_t i = 0; i < text.words.size(); ++i) {
    if (letters >= kBlockLetters) {
      blocks_.push_back(i);
      letters = 0;
    }
    letters += text.words[i].length;
    mass_ += text.words[i].length * text.words[i].count;
  }
  blocks_.push_back(static_cast<uint32_t>(text.words.size()));
  unit_ = std::ldexp(1.0, 62 - std::bit_width(mass_));
}

/// By a sample of the words, with logarithms.
void Expector::estimate_nats_per_letter(const PieceTree& tree) {
  constexpr size_t kWords = 512;
  const std::vector<double> scores = scores_of_nodes(tree);
  double nats = 0;
  double letters = 0;
  for (size_t i = 0; i < text_.words.size(); i += 1 + text_.words.size() / kWords) {
    const TrainingText::Word& word = text_.words[i];
    nats -= expect_in_logs(tree, scores, word.begin, word.length, 0, [](uint32_t, double) {});
    letters += word.length;
  }
  nats_per_letter_ = nats / letters;
}

void Expector::set_weights(PieceTree& tree) const {
  for (PieceTree::Node& node : tree.nodes) node.weight = 0;
  const double unknown = std::exp(double{unknown_score(tree)} + nats_per_letter_);
  for (uint32_t letter = 0; letter < tree.letters; ++letter) tree.nodes[letter].weight = unknown;
  constexpr size_t kBlock = 1 << 12;
  threads_.run(static_cast<int64_t>((tree.pieces.size() + kBlock - 1) / kBlock), [&](int64_t block, int) {
    const size_t begin = static_cast<size_t>(block) * kBlock;
    for (size_t i = begin; i < std::min(tree.pieces.size(), begin + kBlock); ++i) {
      PieceTree::Node& node = tree.nodes[tree.pieces[i].node];
      node.weight = std::exp(double{tree.pieces[i].score} + node.length * nats_per_letter_);
    }
  });
}

Expectation Expector::run(PieceTree& tree) {
  if (nats_per_letter_ == 0) estimate_nats_per_letter(tree);
  set_weights(tree);
  std::vector<Scratch> scratch(static_cast<size_t>(threads_.threads()));
  for (Scratch& s : scratch) s.counts.resize(tree.nodes.size());
  std::vector<double> likelihoods(blocks_.size() - 1);
  threads_.run(static_cast<int64_t>(likelihoods.size()), [&](int64_t block, int thread) {
    check_stop_();
    Scratch& s = scratch[static_cast<size_t>(thread)];
    double nats = 0;
    for (uint32_t i = blocks_[static_cast<size_t>(block)]; i < blocks_[static_cast<size_t>(block) + 1]; ++i) {
      const TrainingText::Word& word = text_.words[i];
      if (!go_forward(tree, word, s)) {
        s.in_logs.push_back(i);
        continue;
      }
      const auto count = static_cast<double>(word.count);
      nats += count * (std::log(s.forward[word.length]) - word.length * nats_per_letter_);
      go_backward(word, count * unit_, s);
    }
    likelihoods[static_cast<size_t>(block)] = nats;
  });
  std::vector<int64_t>& counts = scratch[0].counts;
  std::vector<uint32_t> in_logs;
  for (Scratch& s : scratch) {
    if (&s != &scratch[0])
      std::transform(counts.begin(), counts.end(), s.counts.begin(), counts.begin(), std::plus<>());
    in_logs.insert(in_logs.end(), s.in_logs.begin(), s.in_logs.end());
  }
  Expectation result;
  for (const double nats : likelihoods) result.log_likelihood += nats;
  std::sort(in_logs.begin(), in_logs.end());
  const std::vector<double> scores = in_logs.empty() ? std::vector<double>() : scores_of_nodes(tree);
  for (const uint32_t i : in_logs) {
    const TrainingText::Word& word = text_.words[i];
    const auto count = static_cast<double>(word.count);
    result.log_likelihood +=
        count * expect_in_logs(tree, scores, word.begin, word.length, count * unit_,
                               [&](uint32_t node, double expected) { counts[node] += rounded(expected); });
  }
  std::vector<bool> is_piece(tree.letters);
  result.counts.reserve(tree.pieces.size());
  for (const PieceTree::Piece& piece : tree.pieces) {
    result.counts.push_back(static_cast<double>(counts[piece.node]) / unit_);
    if (piece.node < tree.letters) is_piece[piece.node] = true;
  }
  for (uint32_t letter = 0; letter < tree.letters; ++letter)
    if (!is_piece[letter]) result.counts[0] += static_cast<double>(counts[letter]) / unit_;
  nats_per_letter_ = -result.log_likelihood / static_cast<double>(mass_);
  return result;
}

}  // namespace sesame::unigram
