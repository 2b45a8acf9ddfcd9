#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/passes/remat.h"
#include "sesame/passes/remat/free_replays.h"
#include "sesame/passes/remat/graph_problem.h"
#include "sesame/passes/remat/materialise.h"
#include "sesame/passes/remat/options.h"
#include "sesame/passes/remat/problem.h"
#include "sesame/passes/remat/stages.h"

namespace sesame {
namespace {

using remat::GraphProblem;
using remat::Sequence;

/// An execution with what the real planner makes of it.
struct Candidate {
  Sequence sequence;
  Graph graph;
  int64_t bytes = 0;
};

Candidate planned(const GraphProblem& problem, Sequence sequence, const NodeCosts& costs) {
  Candidate candidate{std::move(sequence), {}, 0};
  candidate.graph = materialise(problem, candidate.sequence);
  candidate.bytes = plan_memory(candidate.graph, costs.workspace).arena_bytes;
  return candidate;
}

/// Finds executions within a budget.
class BudgetPlanner {
 public:
  BudgetPlanner(const GraphProblem& problem, const NodeCosts& costs, Sequence start)
      : p_(problem),
        costs_(costs),
        start_(std::move(start)),
        stages_(remat::find_stages(problem, remat::early_updates(problem))),
        chain_(remat::chain_of(problem, stages_)) {}

  /// The fastest that we find whose arena is within the budget, or nothing.
  std::optional<Candidate> within(int64_t budget) const {
    std::optional<Candidate> best;
    int64_t target = budget;  // for the sum of live bytes; the arena may take more
    for (int round = 0; round < kRounds; ++round) {
      const std::optional<Sequence> sequence = fit(target);
      if (!sequence) break;
      Candidate candidate = planned(p_, *sequence, costs_);
      const int64_t over = candidate.bytes - budget;
      if (over <= 0) {
        best = std::move(candidate);
        break;
      }
      target -= over;
    }
    return best;
  }

  /// The execution that takes the fewest bytes.
  Candidate least() const {
    int64_t high = simulate(p_.problem, start_).peak_bytes;
    Sequence sequence = start_;
    int64_t low = p_.problem.fixed_bytes;
    while (high - low > std::max<int64_t>(high / 512, 64)) {
      const int64_t middle = low + (high - low) / 2;
      std::optional<Sequence> found = fit(middle);
      if (found) {
        sequence = std::move(*found);
        high = std::min(middle, simulate(p_.problem, sequence).peak_bytes);
      } else {
        low = middle;
      }
    }
    return planned(p_, std::move(sequence), costs_);
  }

 private:
  static constexpr int kRounds = 6;

  /// An execution whose sum of live bytes is never over `bytes`.
  std::optional<Sequence> fit(int64_t bytes) const {
    const int64_t outside = p_.problem.fixed_bytes + stages_.pinned_bytes;
    const std::optional<remat::ChainPlan> plan = remat::solve_chain(chain_.chain, bytes - outside);
    if (!plan) return std::nullopt;
    Sequence sequence = sequence_of(p_, stages_, chain_, plan->moves);
      fmt::print(stderr, "fit {:.1f}: chain peak {:.1f} simulated {:.1f}\n", bytes / 1048576.,
                 (chain_peak(chain_.chain, plan->moves) + outside) / 1048576.,
                 simulate(p_.problem, sequence).peak_bytes / 1048576.);
    if (simulate(p_.problem, sequence).peak_bytes > bytes) return std::nullopt;
    return sequence;
  }

  const GraphProblem& p_;
  const NodeCosts& costs_;
  const Sequence start_;
  const remat::Stages stages_;
  const remat::ChainOfStages chain_;
};

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

double seconds_of(const GraphProblem& p, const Sequence& sequence) {
  double seconds = 0;
  for (const int32_t n : sequence) seconds += p.problem.nodes[static_cast<size_t>(n)].seconds;
  return seconds;
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

}  // namespace

RematResult rematerialise(const Graph& graph, const RematOptions& options, const NodeCosts& costs) {
  const auto start = std::chrono::steady_clock::now();
  const GraphProblem problem = remat::problem_of(graph, costs);
  const Candidate without{in_order(problem.problem), graph, plan_memory(graph, costs.workspace).arena_bytes};
  Candidate chosen = without;
  if (options.free_replays && problem.has_backward()) {
    if (Candidate free = planned(problem, free_replays(problem), costs); free.bytes < chosen.bytes) {
      chosen = std::move(free);
    }
  }
  int64_t minimum = 0;
  if (options.budget_bytes && chosen.bytes > *options.budget_bytes) {
    const BudgetPlanner planner(problem, costs, chosen.sequence);
    std::optional<Candidate> found = planner.within(*options.budget_bytes);
    if (!found) {
      Candidate least = planner.least();
      minimum = least.bytes;
      if (minimum > *options.budget_bytes) refuse(*options.budget_bytes, minimum);
      found = std::move(least);
    }
    chosen = std::move(*found);
  }
  RematReport report = report_of(problem, without, chosen);
  report.minimum_bytes = minimum;
  report.planning_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {std::move(chosen.graph), std::move(report)};
}

int64_t least_budget(const Graph& graph, const NodeCosts& costs) {
  return rematerialise(graph, {}, costs).report.bytes;
}

}  // namespace sesame
