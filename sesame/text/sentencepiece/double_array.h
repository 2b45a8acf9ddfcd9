#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace sesame {

/// Places of the nodes of a trie of byte strings: the child of a node with children at `base` for byte c is at
/// `base ^ c`, and no two nodes have the same base, so that a node is known by its place and the byte that leads to it.
/// Whoever builds a table from it lays out its own units.
struct DoubleArrayPlaces {
  struct Node {
    uint32_t place;
    uint32_t parent;  // place of its parent
    uint32_t base;    // 0 where it has no children
    uint8_t label;    // the byte that leads here
    int32_t value;    // of the string that ends here, or -1
  };
  std::vector<Node> nodes;  // the root, at place 0, comes first; parents before children
  uint32_t size = 0;        // places in all: a multiple of 256
  bool with_terminators = false;
};

/// Finds places for the strings, which are sorted by their bytes, differ, and are not empty; values are >= 0. With
/// `with_terminators` the place `base ^ 0` of every node with a value is kept free for it, as Darts needs; no string
/// then holds a NUL. With `weights`, by value, the nodes that lead to much weight lie together in front: those that are
/// looked up most then share few cache lines. Throws Error for more than 2^29 places.
DoubleArrayPlaces place_trie(std::span<const std::pair<std::string_view, int32_t>> strings, bool with_terminators,
                             std::span<const double> weights = {});

/// For places that are no node's a byte that leads to them from no node: with such labels, whoever walks the trie need
/// not know which places are free. Places that terminators take are not among them.
std::vector<std::pair<uint32_t, uint8_t>> free_labels(const DoubleArrayPlaces& places);

}  // namespace sesame
