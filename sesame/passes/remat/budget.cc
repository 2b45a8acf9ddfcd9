#include "sesame/passes/remat/budget.h"

#include <algorithm>
#include <utility>

#include "sesame/passes/plan_memory.h"
#include "sesame/passes/remat/chain_sequence.h"
#include "sesame/passes/remat/free_replays.h"
#include "sesame/passes/remat/materialise.h"
#include "sesame/passes/remat/search.h"

namespace sesame::remat {
namespace {

constexpr int kRounds = 4;
constexpr double kSearchSeconds = 0.1;
constexpr double kGoodEnough = 1.002;  // times the lower bound

}  // namespace

Candidate planned(const GraphProblem& problem, Sequence sequence, const NodeCosts& costs) {
  Candidate candidate{std::move(sequence), {}, 0};
  candidate.graph = materialise(problem, candidate.sequence);
  candidate.bytes = plan_memory(candidate.graph, costs.workspace).arena_bytes;
  return candidate;
}

double seconds_of(const GraphProblem& problem, const Sequence& sequence) {
  double seconds = 0;
  for (const int32_t n : sequence) seconds += problem.problem.nodes[static_cast<size_t>(n)].seconds;
  return seconds;
}

BudgetPlanner::BudgetPlanner(const GraphProblem& problem, const NodeCosts& costs, Sequence start)
    : p_(problem),
      costs_(costs),
      start_(std::move(start)),
      stages_(problem.has_backward() ? find_stages(problem, early_updates(problem)) : Stages{}),
      chain_(chain_of(problem, stages_)) {}

std::optional<Candidate> BudgetPlanner::within(int64_t budget) const {
  int64_t target = budget;              // for the sum of live bytes; the arena may take more
  std::optional<Candidate> from_chain;  // to fall back on: without a search there are fewer gaps
  for (int round = 0; round < kRounds; ++round) {
    std::optional<Sequence> sequence = searched(target, target);
    if (!sequence) break;
    Candidate candidate = planned(p_, *std::move(sequence), costs_);
    const double good_enough = kGoodEnough * lower_bound_seconds(p_.problem, p_.turning, target);
    if (candidate.bytes > budget || seconds_of(p_, candidate.sequence) > good_enough) {
      // The search is a climb: from a start with some room it sometimes ends higher, and leaves other gaps.
      if (std::optional<Sequence> other = searched(target - target / 12, target)) {
        Candidate second = planned(p_, *std::move(other), costs_);
        const bool faster = seconds_of(p_, second.sequence) < seconds_of(p_, candidate.sequence);
        if (second.bytes <= budget && (faster || candidate.bytes > budget)) candidate = std::move(second);
      }
    }
    if (candidate.bytes <= budget) return candidate;
    if (!from_chain) {
      from_chain = planned(p_, *fit(target), costs_);
      if (from_chain->bytes > budget) from_chain.reset();
    }
    target = std::min(target, peak_of(candidate.sequence)) - (candidate.bytes - budget);
  }
  return from_chain;
}

Candidate BudgetPlanner::least() const {
  Sequence sequence = start_;
  int64_t high = peak_of(sequence);
  int64_t low = p_.problem.fixed_bytes;
  while (high - low > std::max(high / 512, kArenaAlignment)) {
    const int64_t middle = low + (high - low) / 2;
    if (std::optional<Sequence> found = solve(middle); found && peak_of(*found) < high) {
      sequence = *std::move(found);
      high = peak_of(sequence);
    } else {
      low = middle;
    }
  }
  return planned(p_, std::move(sequence), costs_);
}

int64_t BudgetPlanner::peak_of(const Sequence& sequence) const { return simulate(p_.problem, sequence).peak_bytes; }

/// The chain's fastest execution within `bytes` as the chain counts, which may be more than it really takes.
std::optional<Sequence> BudgetPlanner::solve(int64_t bytes) const {
  if (stages_.stages.empty()) return std::nullopt;
  const int64_t outside = p_.problem.fixed_bytes + stages_.pinned_bytes;
  const std::optional<ChainPlan> plan = solve_chain(chain_.chain, bytes - outside);
  if (!plan) return std::nullopt;
  return sequence_of(p_, stages_, chain_, plan->moves);
}

/// The chain's execution whose sum of live bytes is never over `bytes`.
std::optional<Sequence> BudgetPlanner::fit(int64_t bytes) const {
  std::optional<Sequence> best;
  int64_t asked = bytes;
  for (int round = 0; round < kRounds; ++round) {
    std::optional<Sequence> sequence = solve(asked);
    if (!sequence) break;
    const int64_t peak = peak_of(*sequence);
    if (peak > bytes) {
      if (best) break;
      asked -= peak - bytes;
      continue;
    }
    if (!best || seconds_of(p_, *sequence) < seconds_of(p_, *best)) best = std::move(sequence);
    if (bytes - peak <= bytes / 64) break;
    asked += bytes - peak;
  }
  return best;
}

/// An execution within `bytes`, found from the chain's within `start_bytes`.
std::optional<Sequence> BudgetPlanner::searched(int64_t start_bytes, int64_t bytes) const {
  std::optional<Sequence> sequence = fit(start_bytes);
  if (!sequence) return std::nullopt;
  std::optional<Sequence> better = search(p_.problem, *sequence, bytes, {.seconds = kSearchSeconds});
  return better ? better : sequence;
}

}  // namespace sesame::remat
