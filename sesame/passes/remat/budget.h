#pragma once

#include <cstdint>
#include <optional>

#include "sesame/graph/graph.h"
#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/options.h"
#include "sesame/passes/remat/problem.h"
#include "sesame/passes/remat/stages.h"

namespace sesame::remat {

/// An execution and what the memory planner makes of it.
struct Candidate {
  Sequence sequence;
  Graph graph;
  int64_t bytes = 0;  // of the arena
};

Candidate planned(const GraphProblem& problem, Sequence sequence, const NodeCosts& costs);

double seconds_of(const GraphProblem& problem, const Sequence& sequence);

/// Finds executions within a budget: the chain's optimum, improved by search, held against the memory planner.
class BudgetPlanner {
 public:
  /// `start` is an execution to fall back on. `problem` and what `costs` refers to must outlive this.
  BudgetPlanner(const GraphProblem& problem, const NodeCosts& costs, Sequence start);

  /// The fastest that we find whose arena is within the budget, or nothing.
  [[nodiscard]] std::optional<Candidate> within(int64_t budget) const;

  /// The execution that takes the fewest bytes, whatever it costs. Always the same for the same problem: no search that
  /// looks at the clock takes part.
  [[nodiscard]] Candidate least() const;

 private:
  [[nodiscard]] int64_t peak_of(const Sequence& sequence) const;
  [[nodiscard]] std::optional<Sequence> solve(int64_t bytes) const;
  [[nodiscard]] std::optional<Sequence> fit(int64_t bytes) const;
  [[nodiscard]] std::optional<Sequence> searched(int64_t start_bytes, int64_t bytes) const;

  const GraphProblem& p_;
  const NodeCosts costs_;
  const Sequence start_;
  const Stages stages_;
  const ChainOfStages chain_;
};

}  // namespace sesame::remat
