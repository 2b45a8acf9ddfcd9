#pragma once

#include <cstdint>

#include "sesame/base/function_ref.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/train/pair_table.h"
#include "sesame/text/bpe/train/symbol_text.h"

namespace sesame {

/// Which pairs count_pairs adds to a table.
struct PairFilter {
  int64_t least = 1;           // fewest occurrences
  bool disjoint_runs = false;  // of a run of n equal symbols n / 2 pairs are counted, not n - 1
  FunctionRef<bool(uint64_t pair)> accepts;
};

/// Adds neighbours in a text, counts and positions, to a table that does not have them. `symbols`: all ids are below.
void count_pairs(const SymbolText& text, uint32_t symbols, const PairFilter& filter, ThreadPool& threads,
                 PairTable& pairs, PositionArena& positions);

}  // namespace sesame
