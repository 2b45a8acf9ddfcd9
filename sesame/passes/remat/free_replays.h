#pragma once

#include <vector>

#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

/// Each node once, but those that only write into variables (the gradients of the parameters) as soon as what they read
/// is there: what they read is then free for what follows.
Sequence early_updates(const GraphProblem& problem);

/// What is worth keeping from the forward to the backward part if computing again costs `node_cost` and keeping costs a
/// value's bytes: the minimum cut, exactly. Infinite costs are allowed. `wanted`: the forward values that must be there
/// for the backward part. Returns per value whether it is kept.
std::vector<bool> cheapest_to_keep(const Problem& problem, const std::vector<int32_t>& nodes,
                                   const std::vector<int32_t>& wanted, const std::vector<double>& node_cost);

/// early_updates() with the forward values computed again in the backward part whose bytes are worth more than the
/// traffic of computing them again. Depends on bytes and cost classes only, never on measured times.
Sequence free_replays(const GraphProblem& problem);

}  // namespace sesame::remat
