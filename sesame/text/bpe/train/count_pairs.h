#pragma once

#include <cstdint>

#include "sesame/base/function_ref.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/train/pair_table.h"
#include "sesame/text/bpe/train/symbol_text.h"

namespace sesame {

/// Fills an empty table with the neighbours in a text all of whose symbols are below `symbols` and have one slot, and
/// with their positions. Pairs that are not `allowed` are left out. `disjoint_runs`: of a run of n equal symbols n / 2
/// pairs are counted, not n - 1.
void count_pairs(const SymbolText& text, uint32_t symbols, bool disjoint_runs, FunctionRef<bool(uint64_t pair)> allowed,
                 ThreadPool& threads, PairTable& pairs, PositionArena& positions);

}  // namespace sesame
