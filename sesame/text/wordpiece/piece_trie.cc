#include "sesame/text/wordpiece/piece_trie.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "sesame/base/error.h"

namespace sesame {

PieceTrie::PieceTrie(const std::vector<Piece>& first, const std::vector<Piece>& next) {
  nodes_.resize(2);
  parents_.resize(2);
  edges_.resize(1024);
  mask_ = edges_.size() - 1;
  shift_ = 64 - std::countr_zero(edges_.size());
  for (const Piece& piece : first) add(first_root, piece);
  for (const Piece& piece : next) add(next_root, piece);
  link();
  parents_ = {};
}

void PieceTrie::add(int32_t root, const Piece& piece) {
  int32_t node = root;
  for (const char c : piece.text) node = add_child(node, static_cast<uint8_t>(c));
  nodes_[static_cast<size_t>(node)].id = piece.id;
}

int32_t PieceTrie::add_child(int32_t node, uint8_t byte) {
  if (const int32_t known = child(node, byte); known >= 0) return known;
  if (nodes_.size() >= size_t{1} << child_bits) fail("a vocabulary whose pieces take more than 2^28 bytes");
  if (2 * nodes_.size() >= edges_.size()) grow();
  const auto added = static_cast<int32_t>(nodes_.size());
  const uint64_t key = (static_cast<uint64_t>(node) << 8) | byte;
  nodes_.push_back({-1, nodes_[static_cast<size_t>(node)].depth + 1, -1, 0});
  parents_.push_back(key);
  size_t i = slot(key);
  while (edges_[i] != 0) i = (i + 1) & mask_;
  edges_[i] = (key << child_bits) | static_cast<uint64_t>(added);
  return added;
}

void PieceTrie::grow() {
  std::vector<uint64_t> old(4 * edges_.size());
  old.swap(edges_);
  mask_ = edges_.size() - 1;
  shift_ = 64 - std::countr_zero(edges_.size());
  for (const uint64_t edge : old) {
    if (edge == 0) continue;
    size_t i = slot(edge >> child_bits);
    while (edges_[i] != 0) i = (i + 1) & mask_;
    edges_[i] = edge;
  }
}

int32_t PieceTrie::join(int32_t left, int32_t right) {
  if (left == 0) return right;
  if (right == 0) return left;
  joints_.push_back({left, right});
  return static_cast<int32_t>(joints_.size());
}

/// Algorithm 1 of the paper: nodes by rising depth, so that the links that a node needs are there.
void PieceTrie::link() {
  std::vector<int32_t> order(nodes_.size() - 2);
  std::iota(order.begin(), order.end(), 2);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return nodes_[static_cast<size_t>(a)].depth < nodes_[static_cast<size_t>(b)].depth;
  });
  for (const int32_t v : order) {
    Node& node = nodes_[static_cast<size_t>(v)];
    if (node.id >= 0) {
      node.failure = next_root;
      node.pops = -v;
      continue;
    }
    const uint64_t edge = parents_[static_cast<size_t>(v)];
    const Node& parent = nodes_[static_cast<size_t>(edge >> 8)];
    int32_t z = parent.failure;
    int32_t pops = parent.pops;
    while (z >= 0) {
      const int32_t target = child(z, static_cast<uint8_t>(edge));
      if (target >= 0) {
        node.failure = target;
        node.pops = pops;
        break;
      }
      pops = join(pops, nodes_[static_cast<size_t>(z)].pops);
      z = nodes_[static_cast<size_t>(z)].failure;
    }
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
  int32_t u = first_root;
  const auto follow_failure = [&] {
    const Node& node = nodes_[static_cast<size_t>(u)];
    if (node.failure < 0) return false;
    append_pops(node.pops, scratch);
    u = node.failure;
    return true;
  };
  for (const char c : word) {
    int32_t next = child(u, static_cast<uint8_t>(c));
    while (next < 0) {
      if (!follow_failure()) return false;
      next = child(u, static_cast<uint8_t>(c));
    }
    u = next;
  }
  while (u != next_root) {
    if (!follow_failure()) return false;
  }
  return true;
}

}  // namespace sesame
