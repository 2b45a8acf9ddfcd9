#pragma once

#include <cstdint>
#include <vector>

#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

/// A step as a chain: stretches of the forward part that hand on few bytes, each with the stretch of the backward part
/// that belongs to it.
struct Stages {
  struct Stage {
    int32_t first = 0;  // forward nodes [first, last)
    int32_t last = 0;
    std::vector<int32_t> input;     // values that enter, of the stage before; gone with it
    std::vector<int32_t> output;    // values that later forward nodes read
    std::vector<int32_t> backward;  // nodes in the order in which they run
  };
  std::vector<Stage> stages;  // in forward order; their backward parts run last stage first
  std::vector<bool> pinned;   // [value]: stays until its last read: what other stages than the next read, and scalars
  int64_t pinned_bytes = 0;
};

/// Cuts the forward part where what is handed on is smallest. `order`: each node once, as in early_updates(). At most
/// `limit` stages.
Stages find_stages(const GraphProblem& problem, const Sequence& order, size_t limit = 64);

}  // namespace sesame::remat
