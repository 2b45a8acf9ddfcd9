#include "sesame/text/bpe/backtracking_merger.h"

#include <algorithm>
#include <bit>
#include <string>

namespace sesame {
namespace {

/// Nodes of the tree are told by 24 bits, and tokens of a wild vocabulary could be long.
constexpr size_t max_nodes = size_t{1} << 24;

}  // namespace

std::unique_ptr<const BacktrackingMerger> BacktrackingMerger::make(const MergeTable& merges,
                                                                   std::span<const int32_t> byte_ids) {
  std::unique_ptr<BacktrackingMerger> merger(new BacktrackingMerger(merges));
  if (merges.has_ties() || !merger->add_tokens(byte_ids)) return nullptr;
  return merger;
}

bool BacktrackingMerger::add_tokens(std::span<const int32_t> byte_ids) {
  int32_t last = 0;
  for (const int32_t id : byte_ids) last = std::max(last, id);
  for (const MergeRule& rule : merges_.rules()) last = std::max({last, rule.left, rule.right, rule.merged});
  tokens_.resize(static_cast<size_t>(last) + 1);
  std::vector<std::string> bytes(tokens_.size());
  std::vector<int32_t> made(tokens_.size(), none);  // the last rule that makes a token
  for (uint32_t r = 0; r < merges_.size(); ++r)
    made[static_cast<size_t>(merges_.rule(r).merged)] = static_cast<int32_t>(r);
  edges_.resize(1024);
  node_tokens_.push_back(none);
  for (size_t b = 0; b < byte_ids.size(); ++b) {
    const int32_t id = byte_ids[b];
    Token& token = tokens_[static_cast<size_t>(id)];
    if (token.size != 0 || made[static_cast<size_t>(id)] != none) return false;
    token = {none, id, id, none, 1};
    bytes[static_cast<size_t>(id)].assign(1, static_cast<char>(static_cast<uint8_t>(b)));
    add_to_tree(id, bytes[static_cast<size_t>(id)]);
  }
  for (uint32_t r = 0; r < merges_.size(); ++r) {
    const auto [left, right, merged] = merges_.rule(r);
    if (merges_.find(left, right) != r) continue;  // a later rule for the same pair counts
    const auto number = static_cast<int32_t>(r);
    if (made[static_cast<size_t>(left)] >= number || made[static_cast<size_t>(right)] >= number) return false;
    const bool parts_are_made =
        tokens_[static_cast<size_t>(left)].size != 0 && tokens_[static_cast<size_t>(right)].size != 0;
    Token& token = tokens_[static_cast<size_t>(merged)];
    if (!parts_are_made || token.size != 0 || !stay_two(left, right, r)) continue;
    std::string& spelled = bytes[static_cast<size_t>(merged)];
    spelled = bytes[static_cast<size_t>(left)] + bytes[static_cast<size_t>(right)];
    if (node_tokens_.size() + spelled.size() > max_nodes) return false;
    token = {number, left, right, none, static_cast<uint32_t>(spelled.size())};
    add_to_tree(merged, spelled);
  }
  for (size_t id = 0; id < tokens_.size(); ++id) {
    if (tokens_[id].size > 1)
      tokens_[id].prefix = longest_token(std::string_view(bytes[id]).substr(0, bytes[id].size() - 1));
  }
  return true;
}

size_t BacktrackingMerger::place_of(uint32_t from) const noexcept {
  const size_t mask = edges_.size() - 1;
  size_t i = (from * 0x9E3779B97F4A7C15ull) >> (64 - std::countr_zero(edges_.size()));
  while (edges_[i].from != UINT32_MAX && edges_[i].from != from) i = (i + 1) & mask;
  return i;
}

uint32_t BacktrackingMerger::child(uint32_t node, char byte) const noexcept {
  return edges_[place_of(node << 8 | static_cast<uint8_t>(byte))].node;  // 0, the root, is the child of none
}

void BacktrackingMerger::add_to_tree(int32_t id, std::string_view bytes) {
  uint32_t node = 0;
  for (const char byte : bytes) {
    const uint32_t from = node << 8 | static_cast<uint8_t>(byte);
    if (2 * node_tokens_.size() >= edges_.size()) grow_tree();
    Edge& edge = edges_[place_of(from)];
    if (edge.from == UINT32_MAX) {
      edge = {from, static_cast<uint32_t>(node_tokens_.size())};
      node_tokens_.push_back(none);
    }
    node = edge.node;
  }
  node_tokens_[node] = id;
}

void BacktrackingMerger::grow_tree() {
  std::vector<Edge> old(4 * edges_.size());
  old.swap(edges_);
  for (const Edge& edge : old) {
    if (edge.from != UINT32_MAX) edges_[place_of(edge.from)] = edge;
  }
}

int32_t BacktrackingMerger::longest_token(std::string_view text) const noexcept {
  int32_t longest = none;
  uint32_t node = 0;
  for (const char byte : text) {
    node = child(node, byte);
    if (node == 0) break;
    if (node_tokens_[node] != none) longest = node_tokens_[node];
  }
  return longest;
}

bool BacktrackingMerger::stay_two(int32_t left, int32_t right, uint32_t before_rule) const noexcept {
  // Backwards in time: of the two symbols at the place the one that was made later is taken apart, until both are
  // bytes. Each pair on the way stood there until one of them was merged further: by rule number `until`, unless their
  // own rule came before.
  uint32_t until = before_rule;
  while (true) {
    if (merges_.find(left, right) < until) return false;
    const Token& l = tokens_[static_cast<size_t>(left)];
    const Token& r = tokens_[static_cast<size_t>(right)];
    // By the same rule the left one was made first; and a pair comes before another one of the same rule to its right.
    if (l.rule > r.rule) {
      until = static_cast<uint32_t>(l.rule);
      left = l.right;
    } else if (r.rule != none) {
      until = static_cast<uint32_t>(r.rule) + 1;
      right = r.left;
    } else {
      return true;
    }
  }
}

size_t BacktrackingMerger::encode(std::string_view piece, std::vector<bool>& closed, int32_t* ids) const {
  // closed[p]: no tokens reach from the start to p such that the rest can go on from there.
  closed.assign(piece.size() + 1, false);
  size_t count = 0;
  size_t place = 0;
  int32_t next = longest_token(piece);
  while (next != none) {
    const size_t end = place + tokens_[static_cast<size_t>(next)].size;
    if (!closed[end] && (count == 0 || stay_two(ids[count - 1], next, MergeTable::none))) {
      ids[count++] = next;
      place = end;
      next = longest_token(piece.substr(place));
    } else if (const int32_t shorter = tokens_[static_cast<size_t>(next)].prefix; shorter != none) {
      next = shorter;
    } else {
      closed[place] = true;
      next = ids[--count];
      place -= tokens_[static_cast<size_t>(next)].size;
    }
  }
  return count;
}

}  // namespace sesame
