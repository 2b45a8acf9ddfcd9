#pragma once

#include "sesame/graph/graph.h"
#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

/// The graph that runs the problem's nodes in the order of the sequence: a node that stands there again becomes a copy
/// marked as a replay, every read takes the latest copy, and the order of the ids is the order of the sequence.
Graph materialise(const GraphProblem& problem, const Sequence& sequence);

}  // namespace sesame::remat
