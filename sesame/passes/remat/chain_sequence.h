#pragma once

#include <vector>

#include "sesame/passes/remat/chain.h"
#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/options.h"
#include "sesame/passes/remat/stages.h"

namespace sesame::remat {

/// The execution that a plan of the chain's moves means for the nodes.
Sequence sequence_of(const GraphProblem& problem, const Stages& stages, const ChainOfStages& chain,
                     const std::vector<ChainMove>& moves);

}  // namespace sesame::remat
