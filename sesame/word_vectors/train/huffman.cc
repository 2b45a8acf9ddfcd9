#include "sesame/word_vectors/train/huffman.h"

#include <algorithm>
#include <numeric>

namespace sesame {
namespace {

__extension__ using Wide = unsigned __int128;  // sums of counts of 64 bits

struct Parent {
  uint32_t node = 0;
  uint32_t code = 0;
};

/// Parents of leaves (by rank: 0 is merged last) and, behind them, of inner nodes. Leaves come by falling counts and
/// inner nodes are made with rising ones, so the two lightest nodes are always at the heads of two queues.
std::vector<Parent> merge(const std::vector<uint64_t>& counts) {
  const size_t leaves = counts.size(), inner = leaves - 1;
  std::vector<Wide> weights(inner);
  std::vector<Parent> parents(leaves + inner);
  size_t leaves_left = leaves, next_inner = 0;
  for (size_t made = 0; made < inner; ++made) {
    for (uint32_t code = 0; code < 2; ++code) {
      const bool leaf = leaves_left > 0 && (next_inner == made || Wide{counts[leaves_left - 1]} < weights[next_inner]);
      const size_t child = leaf ? --leaves_left : leaves + next_inner;
      weights[made] += leaf ? Wide{counts[child]} : weights[next_inner++];
      parents[child] = {static_cast<uint32_t>(made), code};
    }
  }
  return parents;
}

}  // namespace

HuffmanTree::HuffmanTree(std::span<const uint64_t> counts, Order order) {
  const size_t words = counts.size();
  offsets_.assign(words + 1, 0);
  if (words < 2) return;
  std::vector<size_t> word_of_rank(words);
  std::iota(word_of_rank.begin(), word_of_rank.end(), size_t{0});
  if (order == Order::by_count) {
    std::stable_sort(word_of_rank.begin(), word_of_rank.end(),
                     [&](size_t a, size_t b) { return counts[a] > counts[b]; });
  }
  std::vector<uint64_t> ranked(words);
  std::vector<size_t> rank_of_word(words);
  for (size_t rank = 0; rank < words; ++rank) {
    ranked[rank] = counts[word_of_rank[rank]];
    rank_of_word[word_of_rank[rank]] = rank;
  }
  const std::vector<Parent> parents = merge(ranked);
  const size_t root = 2 * words - 2;
  for (size_t word = 0; word < words; ++word) {
    const size_t begin = steps_.size();
    for (size_t node = rank_of_word[word]; node != root; node = words + parents[node].node) {
      steps_.push_back({parents[node].node << 1 | parents[node].code});
    }
    std::reverse(steps_.begin() + static_cast<std::ptrdiff_t>(begin), steps_.end());
    offsets_[word + 1] = steps_.size();
    longest_ = std::max(longest_, static_cast<int64_t>(steps_.size() - begin));
  }
}

}  // namespace sesame
