#include "sesame/text/sentencepiece/double_array.h"

#include <algorithm>
#include <array>

#include "sesame/base/error.h"

namespace sesame {
namespace {

constexpr uint32_t block_size = 256;

/// Which places are free. A block of places that has refused many nodes is not asked again.
class FreePlaces {
 public:
  FreePlaces() { add_block(); }

  [[nodiscard]] uint32_t size() const noexcept { return static_cast<uint32_t>(taken_.size()); }

  /// A base whose places for all labels are free; the places are taken.
  uint32_t take(std::span<const uint8_t> labels) {
    for (size_t i = 0; i < open_.size();) {
      Block& block = open_[i];
      if (block.free >= labels.size()) {
        if (const int64_t base = fit(block.number * block_size, labels); base >= 0) {
          take_at(static_cast<uint32_t>(base), labels);
          block.free -= static_cast<uint32_t>(labels.size());
          if (block.free == 0) open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
          return static_cast<uint32_t>(base);
        }
        if (++block.refusals > most_refusals) {
          open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(i));
          continue;
        }
      }
      ++i;
    }
    add_block();
    Block& block = open_.back();
    const int64_t base = fit(block.number * block_size, labels);
    take_at(static_cast<uint32_t>(base), labels);
    block.free -= static_cast<uint32_t>(labels.size());
    return static_cast<uint32_t>(base);
  }

 private:
  struct Block {
    uint32_t number;
    uint32_t free;
    uint32_t refusals;
  };
  static constexpr uint32_t most_refusals = 64;

  void add_block() {
    if (taken_.size() >= (size_t{1} << 29)) fail("a trie of more than 2^29 nodes cannot be built");
    const auto number = static_cast<uint32_t>(taken_.size() / block_size);
    taken_.resize(taken_.size() + block_size);
    is_base_.resize(taken_.size());
    // Place 0 is the root's; and no base is 0, which says that a node has no children.
    open_.push_back({number, number == 0 ? block_size - 1 : block_size, 0});
    if (number == 0) taken_[0] = is_base_[0] = 1;
  }

  [[nodiscard]] int64_t fit(uint32_t begin, std::span<const uint8_t> labels) const {
    for (uint32_t i = 0; i < block_size; ++i) {
      const uint32_t base = begin + i;
      if (is_base_[base] != 0) continue;
      const auto is_free = [&](uint8_t label) { return taken_[base ^ label] == 0; };
      if (std::all_of(labels.begin(), labels.end(), is_free)) return base;
    }
    return -1;
  }

  void take_at(uint32_t base, std::span<const uint8_t> labels) {
    is_base_[base] = 1;
    for (const uint8_t label : labels) taken_[base ^ label] = 1;
  }

  std::vector<uint8_t> taken_;
  std::vector<uint8_t> is_base_;  // no two nodes have the same: a child is known by its label alone
  std::vector<Block> open_;
};

}  // namespace

DoubleArrayPlaces place_trie(std::span<const std::pair<std::string_view, int32_t>> strings, bool with_terminators) {
  struct Range {
    size_t begin;  // of strings that share the first `depth` bytes
    size_t end;
    size_t depth;
  };
  DoubleArrayPlaces places;
  FreePlaces free;
  std::vector<Range> ranges = {{0, strings.size(), 0}};
  places.nodes.push_back({0, 0, 0, 0, -1});
  std::vector<uint8_t> labels;
  std::vector<size_t> ends;
  for (size_t n = 0; n < places.nodes.size(); ++n) {
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
      ranges.push_back({begin, ends[c - first_child], range.depth + 1});
      begin = ends[c - first_child];
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
