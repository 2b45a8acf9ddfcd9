#include "sesame/text/bpe/merge.h"

#include <algorithm>
#include <functional>

#include "sesame/text/bpe/few_tokens.h"
#include "sesame/text/bpe/merge_windows.h"

namespace sesame {
namespace {

constexpr uint32_t no_symbol = UINT32_MAX;

void merge_few(const MergeTable& table, std::span<const PieceToken> tokens, MergeBuffers& buffers,
               std::vector<PieceToken>& merged) {
  FewTokens few;
  find_rules(table, tokens, buffers.few_rules);
  few.begin(table, tokens, buffers.few_rules);
  merge_together(table, {&few, 1});
  merged.clear();
  few.append_to(merged);
}

/// The heap holds rank and place of pairs; an entry whose rank is no longer that of the pair at its place is stale.
void merge_by_heap(const MergeTable& table, std::span<const PieceToken> tokens, MergeBuffers& buffers,
                   std::vector<PieceToken>& merged) {
  std::vector<MergeBuffers::Symbol>& symbols = buffers.symbols;
  std::vector<uint64_t>& heap = buffers.heap;
  const auto n = static_cast<uint32_t>(tokens.size());
  symbols.resize(n);
  heap.clear();
  const auto entry = [&](uint32_t i) { return (uint64_t{table.rank(symbols[i].rule)} << 32) | i; };
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t rule = i + 1 < n ? rule_of(table, tokens[i].id, tokens[i + 1].id) : MergeTable::none;
    symbols[i] = {tokens[i], rule, i == 0 ? no_symbol : i - 1, i + 1 < n ? i + 1 : no_symbol};
    if (rule != MergeTable::none) heap.push_back(entry(i));
  }
  std::make_heap(heap.begin(), heap.end(), std::greater<>());
  const auto update = [&](uint32_t i) {
    MergeBuffers::Symbol& s = symbols[i];
    s.rule = s.next == no_symbol ? MergeTable::none : rule_of(table, s.token.id, symbols[s.next].token.id);
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
  merged.clear();
  for (uint32_t i = 0; i != no_symbol; i = symbols[i].next) merged.push_back(symbols[i].token);
}

}  // namespace

void merge_at_once(const MergeTable& table, std::span<const PieceToken> tokens, MergeBuffers& buffers,
                   std::vector<PieceToken>& merged) {
  if (tokens.size() <= FewTokens::most) {
    merge_few(table, tokens, buffers, merged);
  } else {
    merge_by_heap(table, tokens, buffers, merged);
  }
}

void merge(const MergeTable& table, std::vector<PieceToken>& tokens, MergeBuffers& buffers) {
  if (tokens.size() < 2) return;
  if (!merge_by_windows(table, tokens, buffers, buffers.merged)) merge_at_once(table, tokens, buffers, buffers.merged);
  tokens.swap(buffers.merged);
}

}  // namespace sesame
