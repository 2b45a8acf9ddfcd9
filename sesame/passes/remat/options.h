#pragma once

#include <vector>

#include "sesame/passes/remat/chain.h"
#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/stages.h"

namespace sesame::remat {

/// What a stage's backward part forgets after each of its nodes and computes again when it is read next.
enum class Thrift : uint8_t { none, cheap_nodes, everything };

bool forgotten_after_use(const GraphProblem& problem, int32_t node, Thrift thrift);

/// What an option of a Chain::Stage means.
struct StageOption {
  std::vector<int32_t> saved;  // values, beside the stage's output
  Thrift thrift = Thrift::none;
};

/// A chain for the dynamic program, and what its options mean.
struct ChainOfStages {
  Chain chain;
  std::vector<std::vector<StageOption>> options;  // [stage][option]
};

/// For each stage the ways to run it that are no worse than another in saved bytes, seconds and temporaries at once, at
/// most 24. Every choice of what to save is looked at in small stages; the minimum cuts for a range of prices of a
/// second in large ones.
ChainOfStages chain_of(const GraphProblem& problem, const Stages& stages);

}  // namespace sesame::remat
