#pragma once

#include <optional>

#include "sesame/passes/remat/problem.h"
#include "sesame/passes/remat/search.h"

namespace sesame::remat {

/// search() without its exhaustive part: repairs what is over the budget by the drops that cost least for the bytes
/// that they free, fills the room that is left by no longer computing again what pays most, exchanges the one for the
/// other, and ends with simulated annealing over all moves. Absent if that ends over the budget.
std::optional<Sequence> local_search(const Problem& problem, const Sequence& start, int64_t budget,
                                     const SearchLimits& limits);

}  // namespace sesame::remat
