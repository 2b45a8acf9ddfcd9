#pragma once

#include <optional>

#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

struct SearchLimits {
  double seconds = 0.2;  // of searching; the moves that are tried do not depend on the clock before it runs out
};

/// Improves an execution on the exact timeline until its peak is within `budget` and no move makes it faster: keep a
/// value over an interval instead of computing it again, drop a value over an interval and compute it again before its
/// next read (with whatever of its inputs is gone by then), move a computation, exchange two of these. Begins at
/// `start`, which may be over the budget, and at the given order. Absent if it ends over the budget. On problems of at
/// most a dozen nodes the search is exhaustive (best first over sets of live values), order included. Throws as
/// simulate() does if `start` is no execution.
std::optional<Sequence> search(const Problem& problem, const Sequence& start, int64_t budget,
                               const SearchLimits& limits = {});

/// No execution within `budget` takes fewer seconds than this: the cost of running every node once, plus a lower bound
/// on what must be computed after the turning point that is not kept over it, by Lagrangian relaxation of the memory at
/// that point (a minimum cut for each multiplier). `turning` is the node on whose first run the backward part depends:
/// the nodes that it depends on are forward, those that depend on it backward, others may run on either side. Infinite
/// where what must be held at that point does not fit.
double lower_bound_seconds(const Problem& problem, int32_t turning, int64_t budget);

}  // namespace sesame::remat
