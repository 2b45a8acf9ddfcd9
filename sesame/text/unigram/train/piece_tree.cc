#include "sesame/text/unigram/train/piece_tree.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "sesame/text/unigram/train/suffix_array.h"

namespace sesame::unigram {
namespace {

/// A string that branches: suffixes [begin, end) begin with it.
struct Branching {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t length = 0;
  uint64_t frequency = 0;
  [[nodiscard]] uint64_t score() const { return frequency * length; }
};

/// The strings of two letters and more that branch among suffixes [begin, end), longer ones before their prefixes.
/// (Abouelhoda, Kurtz & Ohlebusch, "Replacing suffix trees with enhanced suffix arrays", 2004, algorithm 4.1.)
void find_branching(const TrainingText& text, const SuffixArray& suffixes, const PieceValidator& validator,
                    uint32_t max_length, size_t begin, size_t end, std::vector<Branching>& out) {
  struct Open {
    uint32_t begin;
    uint32_t length;
    uint64_t before;  // occurrences of the suffixes before it
  };
  std::vector<Open> open;
  uint64_t occurrences = 0;
  for (size_t i = begin; i <= end; ++i) {
    const uint32_t shared = i == end || i == begin ? 0 : suffixes.shared[i];
    Open next{static_cast<uint32_t>(i), shared, occurrences};
    if (i > begin) {
      next.begin = static_cast<uint32_t>(i - 1);
      next.before = occurrences - text.entries[suffixes.entries[i - 1]].count;
    }
    while (!open.empty() && open.back().length > shared) {
      const Open& top = open.back();
      const std::span letters(text.letters.data() + suffixes.positions[top.begin], top.length);
      if (top.length >= 2 && top.length <= max_length && validator.valid(letters))
        out.push_back({top.begin, static_cast<uint32_t>(i), top.length, occurrences - top.before});
      next.begin = top.begin;
      next.before = top.before;
      open.pop_back();
    }
    if (shared > 0 && (open.empty() || open.back().length < shared)) {
      next.length = shared;
      open.push_back(next);
    }
    if (i < end) occurrences += text.entries[suffixes.entries[i]].count;
  }
}

std::vector<Branching> find_branching(const TrainingText& text, const SuffixArray& suffixes,
                                      const PieceValidator& validator, uint32_t max_length, ThreadPool& threads) {
  // Where neighbours share less than two letters no string of two letters goes across.
  const size_t size = suffixes.positions.size();
  const size_t share = std::max<size_t>(size / (8 * static_cast<size_t>(threads.threads())), 1 << 12);
  std::vector<size_t> cuts{0};
  for (size_t i = 1; i < size; ++i)
    if (i - cuts.back() >= share && suffixes.shared[i] < 2) cuts.push_back(i);
  cuts.push_back(size);
  std::vector<std::vector<Branching>> found(cuts.size() - 1);
  threads.run(static_cast<int64_t>(found.size()), [&](int64_t part, int) {
    const auto p = static_cast<size_t>(part);
    find_branching(text, suffixes, validator, max_length, cuts[p], cuts[p + 1], found[p]);
  });
  std::vector<Branching> all;
  for (std::vector<Branching>& part : found) {
    all.insert(all.end(), part.begin(), part.end());
    part = {};
  }
  return all;
}

/// The places in `found` of the `size` highest scores, in order of score and then of place.
std::vector<uint32_t> best(const std::vector<Branching>& found, uint64_t size) {
  std::vector<std::pair<uint64_t, uint32_t>> ranking;  // ~score, place
  ranking.reserve(found.size());
  for (uint32_t i = 0; i < found.size(); ++i) ranking.emplace_back(~found[i].score(), i);
  if (ranking.size() > size) {
    std::nth_element(ranking.begin(), ranking.begin() + static_cast<int64_t>(size), ranking.end());
    ranking.resize(size);
  }
  std::sort(ranking.begin(), ranking.end());
  std::vector<uint32_t> places;
  places.reserve(ranking.size());
  for (const auto& [score, place] : ranking) places.push_back(place);
  return places;
}

void add_letters(const TrainingText& text, PieceTree& tree, std::vector<double>& coverage) {
  tree.letters = static_cast<uint32_t>(text.codes.size());
  tree.nodes.resize(text.codes.size());
  tree.positions.resize(text.codes.size(), PieceTree::kNone);
  for (uint32_t letter = 0; letter < tree.letters; ++letter)
    if (letter != text.unknown && text.code_counts[letter] > 0) tree.pieces.push_back({letter, 0});
  std::sort(tree.pieces.begin(), tree.pieces.end(), [&](const PieceTree::Piece& a, const PieceTree::Piece& b) {
    const uint64_t count_a = text.code_counts[a.node];
    const uint64_t count_b = text.code_counts[b.node];
    return count_a != count_b ? count_a > count_b : a.node < b.node;
  });
  for (const PieceTree::Piece& piece : tree.pieces)
    coverage.push_back(static_cast<double>(text.code_counts[piece.node]));
}

/// Hangs the strings that were chosen into the tree, and finds for each suffix the longest of them.
void hang(const TrainingText& text, const SuffixArray& suffixes, const std::vector<Branching>& found,
          const std::vector<uint32_t>& chosen, PieceTree& tree) {
  std::vector<uint32_t> node_of(found.size(), PieceTree::kNone);
  for (const uint32_t place : chosen) node_of[place] = 0;
  tree.longest.resize(text.letters.size());
  for (size_t i = 0; i < text.letters.size(); ++i) {
    tree.longest[i] = text.letters[i];
    uint32_t& position = tree.positions[text.letters[i]];
    if (position == PieceTree::kNone) position = static_cast<uint32_t>(i);
  }
  // From the last suffix to the first, prefixes come before what begins with them.
  std::vector<std::pair<uint32_t, uint32_t>> open;  // first suffix, node
  size_t next = found.size();
  for (size_t i = suffixes.positions.size(); i-- > 0;) {
    while (!open.empty() && open.back().first > i) open.pop_back();
    for (; next > 0 && found[next - 1].end == i + 1; --next) {
      if (node_of[next - 1] == PieceTree::kNone) continue;
      const Branching& piece = found[next - 1];
      const auto node = static_cast<uint32_t>(tree.nodes.size());
      const uint32_t first_letter = text.letters[suffixes.positions[piece.begin]];
      tree.nodes.push_back({0, open.empty() ? first_letter : open.back().second, piece.length});
      tree.positions.push_back(suffixes.positions[piece.begin]);
      tree.longest_piece = std::max(tree.longest_piece, piece.length);
      node_of[next - 1] = node;
      open.emplace_back(piece.begin, node);
    }
    if (!open.empty()) tree.longest[suffixes.positions[i]] = open.back().second;
  }
  for (const uint32_t place : chosen) tree.pieces.push_back({node_of[place], 0});
}

}  // namespace

float PieceTree::min_score() const {
  float least = std::numeric_limits<float>::max();
  for (const Piece& piece : pieces) least = std::min(least, piece.score);
  return least;
}

std::vector<uint32_t> PieceTree::piece_of_node() const {
  std::vector<uint32_t> result(nodes.size(), kNone);
  for (uint32_t i = 0; i < pieces.size(); ++i) result[pieces[i].node] = i;
  return result;
}

void PieceTree::keep(std::vector<Piece> kept, ThreadPool& threads) {
  std::vector<uint32_t> moved(nodes.size(), kNone);
  for (const Piece& piece : kept) moved[piece.node] = 0;
  for (uint32_t node = 0; node < letters; ++node) moved[node] = node;
  uint32_t end = letters;
  for (uint32_t node = letters; node < nodes.size(); ++node) {
    const uint32_t parent = moved[nodes[node].parent];
    if (moved[node] == kNone) {
      moved[node] = parent;
      continue;
    }
    nodes[end] = nodes[node];
    nodes[end].parent = parent;
    positions[end] = positions[node];
    moved[node] = end++;
  }
  nodes.resize(end);
  positions.resize(end);
  for (Piece& piece : kept) piece.node = moved[piece.node];
  pieces = std::move(kept);
  constexpr size_t kBlock = 1 << 16;
  threads.run(static_cast<int64_t>((longest.size() + kBlock - 1) / kBlock), [&](int64_t block, int) {
    const size_t begin = static_cast<size_t>(block) * kBlock;
    for (size_t i = begin; i < std::min(longest.size(), begin + kBlock); ++i) longest[i] = moved[longest[i]];
  });
}

PieceTree make_seed_pieces(const TrainingText& text, const PieceRules& rules, int64_t seed_size, ThreadPool& threads) {
  const auto max_length = static_cast<uint32_t>(rules.max_sentencepiece_length);
  const PieceValidator validator(rules, text.codes);
  PieceTree tree;
  std::vector<double> coverage;  // by piece: frequency times length
  add_letters(text, tree, coverage);
  {
    const SuffixArray suffixes = sort_suffixes(text, max_length + 1, threads);
    const std::vector<Branching> found = find_branching(text, suffixes, validator, max_length, threads);
    const std::vector<uint32_t> chosen = best(found, static_cast<uint64_t>(seed_size));
    for (const uint32_t place : chosen) coverage.push_back(static_cast<double>(found[place].score()));
    hang(text, suffixes, found, chosen, tree);
  }
  double sum = 0;
  for (const double c : coverage) sum += c;
  const auto log_sum = static_cast<float>(std::log(sum));
  for (size_t i = 0; i < coverage.size(); ++i)
    tree.pieces[i].score = static_cast<float>(std::log(coverage[i]) - log_sum);
  return tree;
}

}  // namespace sesame::unigram
