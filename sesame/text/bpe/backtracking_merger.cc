#include "sesame/text/bpe/backtracking_merger.h"

#include <algorithm>
#include <bit>
#include <string>

namespace sesame {
namespace {

/// Tokens of a wild vocabulary could be long. Those of real ones take 3 MB at most.
constexpr size_t max_bytes = size_t{1} << 23;
constexpr size_t known_pairs = size_t{1} << 15;

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
  std::vector<std::pair<std::string_view, int32_t>> strings;
  size_t total = 0;
  for (size_t b = 0; b < byte_ids.size(); ++b) {
    const int32_t id = byte_ids[b];
    Token& token = tokens_[static_cast<size_t>(id)];
    if (token.size != 0 || made[static_cast<size_t>(id)] != none) return false;
    token = {none, id, id, none, 1};
    bytes[static_cast<size_t>(id)].assign(1, static_cast<char>(static_cast<uint8_t>(b)));
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
    total += spelled.size();
    if (total > max_bytes) return false;
    token = {number, left, right, none, static_cast<uint32_t>(spelled.size())};
  }
  for (size_t id = 0; id < tokens_.size(); ++id) {
    if (tokens_[id].size != 0) strings.emplace_back(bytes[id], static_cast<int32_t>(id));
  }
  trie_ = ByteTrie(std::move(strings));
  for (size_t id = 0; id < tokens_.size(); ++id) {
    if (tokens_[id].size < 2) continue;
    tokens_[id].prefix = trie_.longest_prefix(std::string_view(bytes[id]).substr(0, bytes[id].size() - 1)).value;
  }
  return true;
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

bool BacktrackingMerger::stay_two(int32_t left, int32_t right, Buffers& buffers) const {
  // The answer is the lowest bit, and the next one tells a place that was written.
  const uint64_t pair = (uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right)) << 2 | 2;
  uint64_t& known = buffers.known_pairs[(pair * 0x9E3779B97F4A7C15ull) >> (64 - std::countr_zero(known_pairs))];
  if ((known & ~uint64_t{1}) != pair) known = pair | (stay_two(left, right, MergeTable::none) ? 1 : 0);
  return (known & 1) != 0;
}

size_t BacktrackingMerger::encode(std::string_view piece, Buffers& buffers, int32_t* ids) const {
  buffers.known_pairs.resize(known_pairs);
  // closed[p]: no tokens reach from the start to p such that the rest can go on from there.
  std::vector<bool>& closed = buffers.closed;
  closed.assign(piece.size() + 1, false);
  size_t count = 0;
  size_t place = 0;
  int32_t next = trie_.longest_prefix(piece).value;
  while (next != none) {
    const size_t end = place + tokens_[static_cast<size_t>(next)].size;
    if (!closed[end] && (count == 0 || stay_two(ids[count - 1], next, buffers))) {
      ids[count++] = next;
      place = end;
      next = trie_.longest_prefix(piece, place).value;
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
