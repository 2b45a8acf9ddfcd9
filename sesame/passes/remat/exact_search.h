#pragma once

#include <optional>

#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

struct ExactSearch {
  bool complete = false;             // the answer below is final: nothing faster exists, or nothing at all
  std::optional<Sequence> sequence;  // of the fewest seconds within the budget
};

/// Best first (A*; Hart, Nilsson and Raphael 1968) over what an execution can be at: the nodes that have run and the
/// values that are held. Exponential in the size of the problem: not complete where that is above 16 nodes or 40 values
/// or where more than `most_states` states were reached.
ExactSearch exact_search(const Problem& problem, int64_t budget, size_t most_states = 300'000);

}  // namespace sesame::remat
