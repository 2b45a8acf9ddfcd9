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
#include "sesame/passes/remat/problem.h"

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
  RematReport report = report_of(problem, without, chosen);
  report.planning_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {std::move(chosen.graph), std::move(report)};
}

int64_t least_budget(const Graph& graph, const NodeCosts& costs) {
  return rematerialise(graph, {}, costs).report.bytes;
}

}  // namespace sesame
