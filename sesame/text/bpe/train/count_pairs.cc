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

/// Calls visit(pair, position, counts) for neighbours whose left symbol is in [begin, end).
template <typename Visit>
void for_each_pair(const SymbolText& text, uint32_t begin, uint32_t end, bool disjoint_runs, Visit visit) {
  const uint32_t* const slots = text.slots();
  uint32_t run = 0;  // equal symbols before this one
  if (disjoint_runs) {
    for (uint32_t p = begin; p > 1 && slots[p] != SymbolText::end && slots[p - 1] == slots[p]; --p) ++run;
  }
  for (uint32_t p = begin; p < end; ++p) {
    const uint32_t left = slots[p];
    const uint32_t right = slots[p + 1];
    if (left != SymbolText::end && right != SymbolText::end) {
      const bool counts = !disjoint_runs || left != right || run % 2 == 0;
      visit(pair_key(static_cast<int32_t>(left), static_cast<int32_t>(right)), p, counts);
    }
    run = left == right ? run + 1 : 0;
  }
}

template <typename Pairs>
void count_pairs_as(const SymbolText& text, uint32_t symbols, bool disjoint_runs,
                    FunctionRef<bool(uint64_t pair)> allowed, ThreadPool& threads, PairTable& pairs,
                    PositionArena& positions) {
  const auto parts = static_cast<size_t>(threads.threads());
  const auto begin_of = [&](size_t part) {
    return static_cast<uint32_t>(1 + (uint64_t{text.size()} - 1) * part / parts);
  };
  std::vector<Pairs> found;
  for (size_t part = 0; part < parts; ++part) found.emplace_back(symbols);
  threads.run(static_cast<int64_t>(parts), [&](int64_t block, int) {
    const auto part = static_cast<size_t>(block);
    Pairs& own = found[part];
    for_each_pair(text, begin_of(part), begin_of(part + 1), disjoint_runs, [&](uint64_t pair, uint32_t p, bool counts) {
      PairEntry& entry = own[pair];
      entry.count += counts ? text.count_at(p) : 0;
      ++entry.size;
    });
  });
  for (Pairs& part : found) {
    for (const PairEntry& entry : part.entries()) {
      if (entry.pair_plus_one == 0 || !allowed(entry.pair())) continue;
      pairs.reserve(1);
      PairEntry& sum = pairs.get_or_add(entry.pair());
      sum.count += entry.count;
      sum.size += entry.size;
    }
  }
  // Lists lie in the order of the pairs' first part, each part's positions behind those of the parts before it.
  for (Pairs& part : found) {
    for (PairEntry& entry : part.entries()) {
      PairEntry* const sum = entry.pair_plus_one == 0 ? nullptr : pairs.find(entry.pair());
      if (sum == nullptr) continue;
      if (sum->positions == nullptr) {
        sum->positions = positions.allocate(sum->size);
        sum->size = 0;
      }
      entry.positions = sum->positions + sum->size;
      sum->size += entry.size;
    }
  }
  threads.run(static_cast<int64_t>(parts), [&](int64_t block, int) {
    const auto part = static_cast<size_t>(block);
    Pairs& own = found[part];
    for_each_pair(text, begin_of(part), begin_of(part + 1), disjoint_runs, [&](uint64_t pair, uint32_t p, bool) {
      PairEntry& entry = own[pair];
      if (entry.positions != nullptr) *entry.positions++ = p;
    });
  });
}

}  // namespace

void count_pairs(const SymbolText& text, uint32_t symbols, bool disjoint_runs, FunctionRef<bool(uint64_t pair)> allowed,
                 ThreadPool& threads, PairTable& pairs, PositionArena& positions) {
  const auto count = symbols <= PairGrid::max_symbols ? count_pairs_as<PairGrid> : count_pairs_as<HashedPairs>;
  count(text, symbols, disjoint_runs, allowed, threads, pairs, positions);
}

}  // namespace sesame
