#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sesame {

/// One inner node on the way from the root to a word, and which side the way takes there.
struct HuffmanStep {
  uint32_t bits = 0;

  [[nodiscard]] int32_t node() const noexcept { return static_cast<int32_t>(bits >> 1); }
  [[nodiscard]] int32_t code() const noexcept { return static_cast<int32_t>(bits & 1); }
};

/// A binary tree over words in which a word of count c has a path of length such that the sum of c * length is least
/// (Huffman, "A Method for the Construction of Minimum-Redundancy Codes", 1952). Inner nodes are numbered in the order
/// in which they are made, the root is the last: node words - 2. Ties go to inner nodes, as in word2vec.c. Immutable.
class HuffmanTree {
 public:
  /// In which order leaves are merged. `as_given` takes them from the last to the first, whatever their counts: what
  /// word2vec.c does, whose "</s>" comes first even if it is rare; the tree is then not always the best.
  enum class Order { by_count, as_given };

  HuffmanTree() = default;
  explicit HuffmanTree(std::span<const uint64_t> counts, Order order = Order::by_count);

  /// From the root down; empty where there is one word alone.
  [[nodiscard]] std::span<const HuffmanStep> path(int32_t word) const noexcept {
    const auto i = static_cast<size_t>(word);
    return std::span(steps_).subspan(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }
  [[nodiscard]] int64_t longest() const noexcept { return longest_; }

 private:
  std::vector<size_t> offsets_{0};
  std::vector<HuffmanStep> steps_;
  int64_t longest_ = 0;
};

}  // namespace sesame
