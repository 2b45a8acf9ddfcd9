#include "sesame/text/bpe/train/count_pairs.h"

#include <algorithm>
#include <vector>

namespace sesame {
namespace {

/// Pairs of few symbols by their ids alone.
class PairGrid {
 public:
  static constexpr uint32_t max_symbols = 512;

  explicit PairGrid(uint32_t symbols) : symbols_(symbols), entries_(size_t{symbols} * symbols) {}
  PairEntry& operator[](uint64_t pair) {
    PairEntry& entry =
        entries_[static_cast<size_t>(pair_left(pair)) * symbols_ + static_cast<size_t>(pair_right(pair))];
    entry.pair_plus_one = pair + 1;
    return entry;
  }
  std::span<PairEntry> entries() { return entries_; }

 private:
  uint32_t symbols_;
  std::vector<PairEntry> entries_;
};

class HashedPairs {
 public:
  explicit HashedPairs(uint32_t) {}
  PairEntry& operator[](uint64_t pair) {
    table_.reserve(1);
    return table_.get_or_add(pair);
  }
  std::span<PairEntry> entries() { return table_.entries(); }

 private:
  PairTable table_;
};

/// Calls visit(pair, position, counts) for the neighbours in whole words in [begin, end).
template <typename Visit>
void for_each_pair(const SymbolText& text, uint32_t begin, uint32_t end, bool disjoint_runs, Visit visit) {
  const uint32_t* const slots = text.slots();
  for (uint32_t p = begin; p < end; ++p) {  // at a word, then at its end
    bool odd = false;                       // an odd number of symbols equal to this one stands before it
    for (uint32_t next = 0; slots[p] != SymbolText::end; p = next) {
      next = p + text.length_at(p);
      if (slots[next] == SymbolText::end) continue;
      const int32_t left = text.id_at(p);
      const int32_t right = text.id_at(next);
      visit(pair_key(left, right), p, !disjoint_runs || left != right || !odd);
      odd = left == right && !odd;
    }
  }
}

/// Where the part of a text begins that a thread takes: at a word.
uint32_t begin_of(const SymbolText& text, size_t part, size_t parts) {
  auto p = static_cast<uint32_t>(1 + (uint64_t{text.size()} - 1) * part / parts);
  while (p < text.size() && text.slots()[p - 1] != SymbolText::end) ++p;
  return p;
}

template <typename Pairs>
void count_pairs_as(const SymbolText& text, uint32_t symbols, const PairFilter& filter, ThreadPool& threads,
                    PairTable& pairs, PositionArena& positions) {
  const auto parts = static_cast<size_t>(threads.threads());
  std::vector<Pairs> found;
  for (size_t part = 0; part < parts; ++part) found.emplace_back(symbols);
  const auto for_each_part = [&](auto visit) {
    threads.run(static_cast<int64_t>(parts), [&](int64_t block, int) {
      const auto part = static_cast<size_t>(block);
      Pairs& own = found[part];
      for_each_pair(text, begin_of(text, part, parts), begin_of(text, part + 1, parts), filter.disjoint_runs,
                    [&](uint64_t pair, uint32_t p, bool counts) { visit(own[pair], p, counts); });
    });
  };
  for_each_part([&](PairEntry& entry, uint32_t p, bool counts) {
    entry.count += counts ? text.count_at(p) : 0;
    ++entry.size;
  });

  // Entries come in the order of their hashes: a table that grew meanwhile would have all of them in one cluster.
  PairTable sums;
  size_t found_pairs = 0;
  for (Pairs& part : found) {
    for (const PairEntry& entry : part.entries()) found_pairs += entry.pair_plus_one != 0 ? 1 : 0;
  }
  sums.reserve(found_pairs);
  for (Pairs& part : found) {
    for (const PairEntry& entry : part.entries()) {
      if (entry.pair_plus_one == 0) continue;
      PairEntry& sum = sums.get_or_add(entry.pair());
      sum.count += entry.count;
      sum.size += entry.size;
    }
  }
  size_t accepted = 0;
  for (PairEntry& sum : sums.entries()) {
    sum.done = sum.pair_plus_one != 0 && sum.count >= filter.least && pairs.find(sum.pair()) == nullptr &&
               filter.accepts(sum.pair());
    accepted += sum.done ? 1 : 0;
  }
  pairs.reserve(accepted);
  for (const PairEntry& sum : sums.entries()) {
    if (!sum.done) continue;
    PairEntry& entry = pairs.get_or_add(sum.pair());
    entry = sum;
    entry.positions = positions.allocate(sum.size);
    entry.size = 0;
    entry.done = false;
  }
  // Each part's positions lie behind those of the parts before it.
  for (Pairs& part : found) {
    for (PairEntry& entry : part.entries()) {
      const PairEntry* const sum = entry.pair_plus_one == 0 ? nullptr : sums.find(entry.pair());
      if (sum == nullptr || !sum->done) continue;
      PairEntry& added = *pairs.find(entry.pair());
      entry.positions = added.positions + added.size;
      added.size += entry.size;
    }
  }
  for_each_part([&](PairEntry& entry, uint32_t p, bool) {
    if (entry.positions != nullptr) *entry.positions++ = p;
  });
}

}  // namespace

void count_pairs(const SymbolText& text, uint32_t symbols, const PairFilter& filter, ThreadPool& threads,
                 PairTable& pairs, PositionArena& positions) {
  const auto count = symbols <= PairGrid::max_symbols ? count_pairs_as<PairGrid> : count_pairs_as<HashedPairs>;
  count(text, symbols, filter, threads, pairs, positions);
}

}  // namespace sesame
