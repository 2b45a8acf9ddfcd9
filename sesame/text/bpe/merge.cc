#include "sesame/text/bpe/merge.h"

#include <algorithm>
#include <functional>

namespace sesame {
namespace {

// Up to this many symbols a scan for the lowest rank is faster than a heap.
constexpr size_t scan_limit = 48;
constexpr uint32_t no_symbol = UINT32_MAX;

uint32_t rule_of(const MergeTable& table, const PieceToken& left, const PieceToken& right) {
  return (left.id | right.id) < 0 ? MergeTable::none : table.find(left.id, right.id);
}

void merge_by_scan(const MergeTable& table, std::vector<PieceToken>& tokens, std::vector<uint32_t>& rules) {
  rules.clear();  // rules[i]: of the pair (i, i + 1)
  for (size_t i = 0; i + 1 < tokens.size(); ++i) rules.push_back(rule_of(table, tokens[i], tokens[i + 1]));
  const auto ranks_lower = [&](uint32_t a, uint32_t b) { return table.rank(a) < table.rank(b); };
  while (!rules.empty()) {
    const auto lowest = table.has_ties() ? std::min_element(rules.begin(), rules.end(), ranks_lower)
                                         : std::min_element(rules.begin(), rules.end());
    if (*lowest == MergeTable::none) return;
    const auto i = static_cast<size_t>(lowest - rules.begin());
    tokens[i] = {table.rule(*lowest).merged, tokens[i].begin, tokens[i + 1].end};
    tokens.erase(tokens.begin() + static_cast<ptrdiff_t>(i) + 1);
    rules.erase(lowest);
    if (i > 0) rules[i - 1] = rule_of(table, tokens[i - 1], tokens[i]);
    if (i + 1 < tokens.size()) rules[i] = rule_of(table, tokens[i], tokens[i + 1]);
  }
}

/// The heap holds rank and place of pairs; an entry whose rank is no longer that of the pair at its place is stale.
void merge_by_heap(const MergeTable& table, std::vector<PieceToken>& tokens, MergeBuffers& buffers) {
  std::vector<MergeBuffers::Symbol>& symbols = buffers.symbols;
  std::vector<uint64_t>& heap = buffers.heap;
  const auto n = static_cast<uint32_t>(tokens.size());
  symbols.resize(n);
  heap.clear();
  const auto entry = [&](uint32_t i) { return (uint64_t{table.rank(symbols[i].rule)} << 32) | i; };
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t rule = i + 1 < n ? rule_of(table, tokens[i], tokens[i + 1]) : MergeTable::none;
    symbols[i] = {tokens[i], rule, i == 0 ? no_symbol : i - 1, i + 1 < n ? i + 1 : no_symbol};
    if (rule != MergeTable::none) heap.push_back(entry(i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto update = [&](uint32_t i) {
    MergeBuffers::Symbol& s = symbols[i];
    s.rule = s.next == no_symbol ? MergeTable::none : rule_of(table, s.token, symbols[s.next].token);
    if (s.rule == MergeTable::none) return;
    heap.push_back(entry(i));
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  };
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    const auto i = static_cast<uint32_t>(heap.back());
    const auto rank = static_cast<uint32_t>(heap.back() >> 32);
    heap.pop_back();
    MergeBuffers::Symbol& left = symbols[i];
    if (left.rule == MergeTable::none || table.rank(left.rule) != rank) continue;
    MergeBuffers::Symbol& right = symbols[left.next];
    left.token = {table.rule(left.rule).merged, left.token.begin, right.token.end};
    right.rule = MergeTable::none;
    left.next = right.next;
    if (left.next != no_symbol) symbols[left.next].previous = i;
    update(i);
    if (left.previous != no_symbol) update(left.previous);
  }
  tokens.clear();
  for (uint32_t i = 0; i != no_symbol; i = symbols[i].next) tokens.push_back(symbols[i].token);
}

}  // namespace

void merge(const MergeTable& table, std::vector<PieceToken>& tokens, MergeBuffers& buffers) {
  if (tokens.size() < 2) return;
  if (tokens.size() <= scan_limit) {
    merge_by_scan(table, tokens, buffers.rules);
  } else {
    merge_by_heap(table, tokens, buffers);
  }
}

}  // namespace sesame
