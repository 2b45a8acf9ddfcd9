#include "sesame/text/wordpiece/piece_trie.h"

#include <algorithm>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/sentencepiece/double_array.h"

namespace sesame {
namespace {

constexpr uint32_t block_size = 256;
constexpr uint32_t most_places = 1u << 24;

}  // namespace

PieceTrie::PieceTrie(const std::vector<Piece>& first, const std::vector<Piece>& next) {
  // The base of nodes without children: no place of this block has its own byte as label.
  for (uint32_t byte = 0; byte < block_size; ++byte) units_.push_back(byte ^ 1);
  std::vector<uint32_t> parents_of_first;
  std::vector<uint32_t> parents_of_next;
  const std::vector<uint32_t> nodes_of_first = add_trie(first, parents_of_first);
  const std::vector<uint32_t> nodes_of_next = add_trie(next, parents_of_next);
  first_root_ = nodes_of_first[0];
  next_root_ = nodes_of_next[0];
  // Algorithm 1 of the paper. Links lead to the second trie, to nodes of less depth.
  for (size_t i = 1; i < nodes_of_next.size(); ++i) link(nodes_of_next[i], parents_of_next[i]);
  for (size_t i = 1; i < nodes_of_first.size(); ++i) link(nodes_of_first[i], parents_of_first[i]);
}

std::vector<uint32_t> PieceTrie::add_trie(const std::vector<Piece>& pieces, std::vector<uint32_t>& parents) {
  std::vector<std::pair<std::string_view, int32_t>> strings;
  strings.reserve(pieces.size());
  for (const Piece& piece : pieces) strings.emplace_back(piece.text, piece.id);
  // The last of equal texts comes first, and stays.
  std::reverse(strings.begin(), strings.end());
  std::stable_sort(strings.begin(), strings.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto same_text = [](const auto& a, const auto& b) { return a.first == b.first; };
  strings.erase(std::unique(strings.begin(), strings.end(), same_text), strings.end());
  const DoubleArrayPlaces places = place_trie(strings, false);
  const auto offset = static_cast<uint32_t>(units_.size());
  if (places.size > most_places - offset) fail("a vocabulary whose pieces take more than 2^24 bytes");
  units_.resize(offset + places.size);
  nodes_.resize(units_.size());
  for (const auto& [place, label] : free_labels(places)) units_[offset + place] = label;
  std::vector<uint32_t> nodes;
  nodes.reserve(places.nodes.size());
  parents.reserve(places.nodes.size());
  for (const DoubleArrayPlaces::Node& node : places.nodes) {
    const uint32_t place = offset + node.place;
    units_[place] = (node.base == 0 ? 0 : (offset + node.base) << 8) | node.label;
    nodes_[place].id = node.value;
    if (!nodes.empty()) nodes_[place].depth = nodes_[offset + node.parent].depth + 1;
    nodes.push_back(place);
    parents.push_back(offset + node.parent);
  }
  return nodes;
}

int32_t PieceTrie::join(int32_t left, int32_t right) {
  if (left == 0) return right;
  if (right == 0) return left;
  joints_.push_back({left, right});
  return static_cast<int32_t>(joints_.size());
}

void PieceTrie::link(uint32_t node, uint32_t parent) {
  if (nodes_[node].id >= 0) {
    nodes_[node].failure = next_root_;
    nodes_[node].pops = -static_cast<int32_t>(node);
    return;
  }
  uint32_t z = nodes_[parent].failure;
  int32_t pops = nodes_[parent].pops;
  while (z != no_node) {
    const uint32_t target = child(z, static_cast<uint8_t>(units_[node]));
    if (target != no_node) {
      nodes_[node].failure = target;
      nodes_[node].pops = pops;
      break;
    }
    pops = join(pops, nodes_[z].pops);
    z = nodes_[z].failure;
  }
}

void PieceTrie::append_pops(int32_t pops, Scratch& scratch) const {
  if (pops == 0) return;
  scratch.waiting.assign(1, pops);
  while (!scratch.waiting.empty()) {
    int32_t list = scratch.waiting.back();
    scratch.waiting.pop_back();
    while (list > 0) {
      const Joint& joint = joints_[static_cast<size_t>(list - 1)];
      scratch.waiting.push_back(joint.right);
      list = joint.left;
    }
    const Node& node = nodes_[static_cast<size_t>(-list)];
    scratch.pieces.push_back({node.id, node.depth});
  }
}

bool PieceTrie::match(std::string_view word, Scratch& scratch) const {
  scratch.pieces.clear();
  uint32_t u = first_root_;
  const auto follow_failure = [&] {
    const Node& node = nodes_[u];
    if (node.failure == no_node) return false;
    append_pops(node.pops, scratch);
    u = node.failure;
    return true;
  };
  for (const char c : word) {
    uint32_t next = child(u, static_cast<uint8_t>(c));
    while (next == no_node) {
      if (!follow_failure()) return false;
      next = child(u, static_cast<uint8_t>(c));
    }
    u = next;
  }
  while (u != next_root_) {
    if (!follow_failure()) return false;
  }
  return true;
}

}  // namespace sesame
