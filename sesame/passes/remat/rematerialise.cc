#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/passes/remat.h"
#include "sesame/passes/remat/budget.h"
#include "sesame/passes/remat/free_replays.h"
#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/problem.h"
#include "sesame/passes/remat/search.h"

namespace sesame {
namespace {

using remat::Candidate;
using remat::GraphProblem;
using remat::Sequence;

/// The values of the forward part that the backward part reads, and what became of each.
std::vector<RematReport::Activation> activations_of(const GraphProblem& p, const Sequence& sequence) {
  std::vector<bool> read(p.value.size(), false);
  for (auto n = static_cast<size_t>(p.turning); n < p.node.size(); ++n) {
    for (const int32_t v : p.problem.nodes[n].inputs) read[static_cast<size_t>(v)] = true;
  }
  const auto turning = std::ranges::find(sequence, p.turning) - sequence.begin();
  std::vector<int> runs(p.node.size(), 0);
  std::vector<bool> touched(p.node.size(), false);  // its node ran again after the turning point
  std::vector<bool> kept(p.value.size(), false);    // read after the turning point before that
  for (size_t i = 0; i < sequence.size(); ++i) {
    const Sequence::value_type n = sequence[i];
    ++runs[static_cast<size_t>(n)];
    if (static_cast<std::ptrdiff_t>(i) < turning) continue;
    for (const int32_t v : p.problem.nodes[static_cast<size_t>(n)].inputs) {
      const int32_t producer = p.problem.values[static_cast<size_t>(v)].producer;
      if (producer < 0 || !touched[static_cast<size_t>(producer)]) kept[static_cast<size_t>(v)] = true;
    }
    touched[static_cast<size_t>(n)] = true;
  }
  std::vector<RematReport::Activation> activations;
  for (int32_t v = 0; v < static_cast<int32_t>(p.value.size()); ++v) {
    const auto at = static_cast<size_t>(v);
    const int32_t producer = p.problem.values[at].producer;
    if (!read[at] || !p.is_forward(producer)) continue;
    const int replays = runs[static_cast<size_t>(producer)] - 1;
    activations.push_back({.name = p.name_of_value(v),
                           .bytes = p.problem.values[at].bytes,
                           .kept = kept[at],
                           .replays = replays,
                           .replay_seconds = replays * p.problem.nodes[static_cast<size_t>(producer)].seconds});
  }
  return activations;
}

[[noreturn]] void refuse(int64_t budget, int64_t least) {
  const auto text = [](int64_t bytes) {
    return fmt::format("{} bytes ({})", bytes, human_bytes(static_cast<uint64_t>(bytes)));
  };
  fail(fmt::format("memory budget: {} is too little for this step; the least possible is {}",
                   text(std::max<int64_t>(budget, 0)), text(least)));
}

RematReport report_of(const GraphProblem& p, const Candidate& without, const Candidate& chosen) {
  RematReport report;
  report.bytes_without = without.bytes;
  report.bytes = chosen.bytes;
  report.seconds_without = seconds_of(p, without.sequence);
  report.seconds = seconds_of(p, chosen.sequence);
  report.lower_bound_seconds = report.seconds_without;
  report.activations = activations_of(p, chosen.sequence);
  for (const auto& activation : report.activations) report.activation_bytes += activation.bytes;
  return report;
}

/// What is done without a budget.
Candidate with_free_replays(const GraphProblem& problem, const RematOptions& options, const NodeCosts& costs,
                            const Candidate& without) {
  if (options.free_replays && problem.has_backward()) {
    Candidate free = planned(problem, free_replays(problem), costs);
    if (free.bytes < without.bytes) return free;
  }
  return without;
}

Candidate as_it_is(const GraphProblem& problem, const Graph& graph, const NodeCosts& costs) {
  return {in_order(problem.problem), graph, plan_memory(graph, costs.workspace).arena_bytes};
}

}  // namespace

RematResult rematerialise(const Graph& graph, const RematOptions& options, const NodeCosts& costs) {
  const auto start = std::chrono::steady_clock::now();
  const GraphProblem problem = remat::problem_of(graph, costs);
  const Candidate without = as_it_is(problem, graph, costs);
  Candidate chosen = with_free_replays(problem, options, costs, without);
  const int64_t budget = options.budget_bytes.value_or(std::numeric_limits<int64_t>::max());
  int64_t minimum = 0;
  if (chosen.bytes > budget) {
    const remat::BudgetPlanner planner(problem, costs, chosen.sequence);
    std::optional<Candidate> found = planner.within(budget);
    if (!found) {
      found = planner.least();
      minimum = found->bytes;
      if (minimum > budget) refuse(budget, minimum);
    }
    chosen = *std::move(found);
  }
  RematReport report = report_of(problem, without, chosen);
  report.minimum_bytes = minimum;
  if (options.budget_bytes && problem.has_backward()) {
    report.lower_bound_seconds =
        std::max(report.seconds_without, lower_bound_seconds(problem.problem, problem.turning, budget));
  }
  report.planning_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {std::move(chosen.graph), std::move(report)};
}

int64_t least_budget(const Graph& graph, const NodeCosts& costs) {
  const GraphProblem problem = remat::problem_of(graph, costs);
  const Candidate free = with_free_replays(problem, {}, costs, as_it_is(problem, graph, costs));
  return remat::BudgetPlanner(problem, costs, free.sequence).least().bytes;
}

}  // namespace sesame
