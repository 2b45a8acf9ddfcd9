#include "sesame/text/sentencepiece/double_array.h"

#include <algorithm>
#include <array>
#include <bit>
#include <queue>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr uint32_t block_size = 256;

/// A bit for each place of a block.
using Bits = std::array<uint64_t, block_size / 64>;

/// The bits of the places p ^ label, for all p: both halves of every group of 2^k bits change places where the label
/// has bit k.
Bits moved_by(const Bits& bits, uint8_t label) {
  static constexpr std::array<uint64_t, 6> lower_halves = {0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F,
                                                           0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0x00000000FFFFFFFF};
  Bits moved;
  for (size_t w = 0; w < bits.size(); ++w) {
    uint64_t word = bits[w ^ (label >> 6)];
    for (size_t k = 0; k < lower_halves.size(); ++k) {
      if ((label >> k & 1) == 0) continue;
      word = (word & lower_halves[k]) << (1 << k) | (word >> (1 << k) & lower_halves[k]);
    }
    moved[w] = word;
  }
  return moved;
}

/// Which places are free. A block of places that has refused many nodes is not asked again.
class FreePlaces {
 public:
  FreePlaces() { add_block(); }

  [[nodiscard]] uint32_t size() const noexcept { return static_cast<uint32_t>(blocks_.size()) * block_size; }

  /// A base whose places for all labels are free; the places are taken.
  uint32_t take(std::span<const uint8_t> labels) {
    for (size_t i = 0; i < open_.size();) {
      OpenBlock& open = open_[i];
      if (open.free >= labels.size()) {
        if (const int base = fit(blocks_[open.number], labels); base >= 0) {
          const uint32_t taken = take_at(open, static_cast<uint32_t>(base), labels);
          if (open.free == 0) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
          return taken;
        }
        if (++open.refusals > most_refusals) {
          open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
          continue;
        }
      }
      ++i;
    }
    add_block();
    return take_at(open_.back(), static_cast<uint32_t>(fit(blocks_.back(), labels)), labels);
  }

 private:
  struct Block {
    Bits taken{};
    Bits is_base{};  // no two nodes have the same: a child is known by its label alone
  };
  struct OpenBlock {
    uint32_t number;
    uint32_t free;
    uint32_t refusals;
  };
  static constexpr uint32_t most_refusals = 64;

  static void set(Bits& bits, uint32_t place) { bits[place / 64] |= uint64_t{1} << (place % 64); }

  void add_block() {
    if (blocks_.size() >= (size_t{1} << 29) / block_size) fail("a trie of more than 2^29 nodes cannot be built");
    const auto number = static_cast<uint32_t>(blocks_.size());
    blocks_.emplace_back();
    // Place 0 is the root's; and no base is 0, which says that a node has no children.
    open_.push_back({number, number == 0 ? block_size - 1 : block_size, 0});
    if (number != 0) return;
    set(blocks_[0].taken, 0);
    set(blocks_[0].is_base, 0);
  }

  /// The first base in a block, or -1.
  [[nodiscard]] static int fit(const Block& block, std::span<const uint8_t> labels) {
    Bits refused = block.is_base;
    for (const uint8_t label : labels) {
      const Bits taken = moved_by(block.taken, label);
      for (size_t w = 0; w < refused.size(); ++w) refused[w] |= taken[w];
    }
    for (size_t w = 0; w < refused.size(); ++w) {
      if (~refused[w] != 0) return static_cast<int>(64 * w) + std::countr_one(refused[w]);
    }
    return -1;
  }

  uint32_t take_at(OpenBlock& open, uint32_t base, std::span<const uint8_t> labels) {
    set(blocks_[open.number].is_base, base);
    for (const uint8_t label : labels) set(blocks_[open.number].taken, base ^ label);
    open.free -= static_cast<uint32_t>(labels.size());
    return open.number * block_size + base;
  }

  std::vector<Block> blocks_;
  std::vector<OpenBlock> open_;
};

}  // namespace

DoubleArrayPlaces place_trie(std::span<const std::pair<std::string_view, int32_t>> strings, bool with_terminators,
                             std::span<const double> weights) {
  struct Range {
    size_t begin;  // of strings that share the first `depth` bytes
    size_t end;
    size_t depth;
  };
  DoubleArrayPlaces places;
  FreePlaces free;
  std::vector<Range> ranges = {{0, strings.size(), 0}};
  places.nodes.push_back({0, 0, 0, 0, -1});
  // Of strings in front of one, all weights together.
  std::vector<double> weight_before(strings.size() + 1);
  for (size_t i = 0; i < strings.size() && !weights.empty(); ++i) {
    weight_before[i + 1] = weight_before[i] + weights[static_cast<size_t>(strings[i].second)];
  }
  using Waiting = std::pair<double, size_t>;  // the heaviest first, then the first
  const auto comes_later = [](const Waiting& a, const Waiting& b) {
    return a.first < b.first || (a.first == b.first && a.second > b.second);
  };
  std::priority_queue<Waiting, std::vector<Waiting>, decltype(comes_later)> waiting(comes_later);
  waiting.emplace(0, 0);
  std::vector<uint8_t> labels;
  std::vector<size_t> ends;
  while (!waiting.empty()) {
    const size_t n = waiting.top().second;
    waiting.pop();
    Range range = ranges[n];
    labels.clear();
    ends.clear();
    if (range.begin < range.end && strings[range.begin].first.size() == range.depth) {
      places.nodes[n].value = strings[range.begin].second;
      ++range.begin;
      if (with_terminators) labels.push_back(0);
    }
    const size_t first_child = labels.size();
    for (size_t i = range.begin; i < range.end; ++i) {
      const auto label = static_cast<uint8_t>(strings[i].first[range.depth]);
      if (labels.size() == first_child || labels.back() != label) {
        labels.push_back(label);
        ends.push_back(i);
      }
      ends.back() = i + 1;
    }
    if (labels.empty()) continue;
    const uint32_t base = free.take(labels);
    places.nodes[n].base = base;
    size_t begin = range.begin;
    for (size_t c = first_child; c < labels.size(); ++c) {
      places.nodes.push_back({base ^ labels[c], places.nodes[n].place, 0, labels[c], -1});
      const size_t end = ends[c - first_child];
      ranges.push_back({begin, end, range.depth + 1});
      waiting.emplace(weight_before[end] - weight_before[begin], places.nodes.size() - 1);
      begin = end;
    }
  }
  places.size = free.size();
  places.with_terminators = with_terminators;
  return places;
}

std::vector<std::pair<uint32_t, uint8_t>> free_labels(const DoubleArrayPlaces& places) {
  std::vector<uint8_t> is_base(places.size);
  std::vector<uint8_t> is_taken(places.size);
  for (const DoubleArrayPlaces::Node& node : places.nodes) {
    is_taken[node.place] = 1;
    if (node.base != 0) is_base[node.base] = 1;
    if (node.value >= 0 && places.with_terminators) is_taken[node.base] = 1;
  }
  std::vector<std::pair<uint32_t, uint8_t>> labels;
  for (uint32_t place = 0; place < places.size; ++place) {
    if (is_taken[place] != 0) continue;
    // There is one: were every base of the block taken, so were every place.
    uint32_t label = 0;
    while (label < 255 && is_base[place ^ label] != 0) ++label;
    labels.emplace_back(place, static_cast<uint8_t>(label));
  }
  return labels;
}

}  // namespace sesame
