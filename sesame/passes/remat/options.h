#pragma once

#include <vector>

#include "sesame/passes/remat/chain.h"
#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/stages.h"

namespace sesame::remat {

/// A chain for the dynamic program, and which values each option of each stage saves.
struct ChainOfStages {
  Chain chain;
  std::vector<std::vector<std::vector<int32_t>>> saved;  // [stage][option]: values beside the stage's output
};

/// For each stage the ways to run it that are no worse than another in bytes and seconds at once, at most 16. Every
/// choice of what to save is looked at in small stages; the minimum cuts for a range of prices of a second in large
/// ones.
ChainOfStages chain_of(const GraphProblem& problem, const Stages& stages);

/// The execution that a plan of the chain's moves means for the nodes.
Sequence sequence_of(const GraphProblem& problem, const Stages& stages, const ChainOfStages& chain,
                     const std::vector<ChainMove>& moves);

}  // namespace sesame::remat
