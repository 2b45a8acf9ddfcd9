#include "sesame/passes/remat/free_replays.h"

#include <algorithm>

#include "sesame/graph/op_def.h"
#include "sesame/passes/remat/min_cut.h"
#include "sesame/passes/remat/sequence_writer.h"

namespace sesame::remat {
namespace {

/// A value of n bytes is computed again if that moves at most 8 n bytes. One pass over memory is far below a percent of
/// the matrix products around it, so that the exact number matters little; it keeps long chains from being replayed.
constexpr double kBytesWorthOfTraffic = 1.0 / 8;

bool only_updates(const Problem& problem, int32_t node) {
  const Problem::Node& n = problem.nodes[static_cast<size_t>(node)];
  return n.once && std::ranges::all_of(n.outputs, [&](int32_t v) {
           const Problem::Value& value = problem.values[static_cast<size_t>(v)];
           return value.bytes == 0 && !value.kept_to_end;
         });
}

/// Forward values that nodes after the turning node read.
std::vector<int32_t> read_in_backward(const GraphProblem& p) {
  std::vector<bool> seen(p.value.size(), false);
  std::vector<int32_t> values;
  for (auto n = static_cast<size_t>(p.turning) + 1; n < p.node.size(); ++n) {
    for (const int32_t v : p.problem.nodes[n].inputs) {
      const bool forward = p.problem.values[static_cast<size_t>(v)].producer < p.turning;
      if (forward && !seen[static_cast<size_t>(v)]) values.push_back(v);
      seen[static_cast<size_t>(v)] = true;
    }
  }
  std::ranges::sort(values);
  return values;
}

}  // namespace

Sequence early_updates(const GraphProblem& p) {
  std::vector<int32_t> once;
  const auto size = static_cast<int32_t>(p.node.size());
  for (int32_t n = 0; n < size; ++n) {
    if (p.problem.nodes[static_cast<size_t>(n)].once) once.push_back(n);
  }
  std::vector<bool> done(p.node.size(), false);
  const auto ready = [&](int32_t n) {
    const auto is_done = [&](int32_t other) { return done[static_cast<size_t>(other)]; };
    return std::ranges::all_of(p.problem.nodes[static_cast<size_t>(n)].inputs,
                               [&](int32_t v) {
                                 const int32_t producer = p.problem.values[static_cast<size_t>(v)].producer;
                                 return producer < 0 || is_done(producer);
                               }) &&
           std::ranges::all_of(p.not_before[static_cast<size_t>(n)], is_done);
  };
  Sequence sequence;
  const auto append = [&](int32_t n) {
    sequence.push_back(n);
    done[static_cast<size_t>(n)] = true;
  };
  size_t next = 0;  // `once` nodes stay in their order
  for (int32_t n = 0; n < size; ++n) {
    for (; next < once.size(); ++next) {
      if (done[static_cast<size_t>(once[next])]) continue;
      if (n <= p.turning || !only_updates(p.problem, once[next]) || !ready(once[next])) break;
      append(once[next]);
    }
    if (!done[static_cast<size_t>(n)]) append(n);
  }
  return sequence;
}

std::vector<bool> cheapest_to_keep(const Problem& problem, const std::vector<int32_t>& nodes,
                                   const std::vector<int32_t>& wanted, const std::vector<double>& node_cost) {
  // On the source side: values that the backward part needs and nodes that run again. A needed value whose producer
  // does not run again is kept: its bytes are cut.
  std::vector<int32_t> vertex_of_node(problem.nodes.size(), -1);
  std::vector<int32_t> vertex_of_value(problem.values.size(), -1);
  FlowNetwork network(2);
  constexpr int kSource = 0;
  constexpr int kSink = 1;
  const auto vertex_of = [&](int32_t value) {
    int32_t& vertex = vertex_of_value[static_cast<size_t>(value)];
    if (vertex < 0) vertex = network.add_node();
    return vertex;
  };
  for (size_t i = 0; i < nodes.size(); ++i) {
    const Problem::Node& node = problem.nodes[static_cast<size_t>(nodes[i])];
    const int32_t run = network.add_node();
    vertex_of_node[static_cast<size_t>(nodes[i])] = run;
    network.add_edge(run, kSink, node_cost[i]);
    for (const int32_t v : node.inputs) {
      if (vertex_of_value[static_cast<size_t>(v)] >= 0) network.add_edge(run, vertex_of(v), FlowNetwork::kUncuttable);
    }
    for (const int32_t v : node.outputs) {
      network.add_edge(vertex_of(v), run, static_cast<double>(problem.values[static_cast<size_t>(v)].bytes));
    }
  }
  for (const int32_t v : wanted) network.add_edge(kSource, vertex_of(v), FlowNetwork::kUncuttable);
  const auto cut = network.min_cut(kSource, kSink);
  const auto needed = [&](int32_t vertex) { return vertex >= 0 && cut.on_source_side[static_cast<size_t>(vertex)]; };
  std::vector<bool> kept(problem.values.size(), false);
  for (const int32_t n : nodes) {
    if (needed(vertex_of_node[static_cast<size_t>(n)])) continue;
    for (const int32_t v : problem.nodes[static_cast<size_t>(n)].outputs) {
      kept[static_cast<size_t>(v)] = needed(vertex_of_value[static_cast<size_t>(v)]);
    }
  }
  return kept;
}

Sequence free_replays(const GraphProblem& p) {
  const Sequence order = early_updates(p);
  std::vector<int32_t> forward;
  std::vector<double> costs;
  for (int32_t n = 0; n < p.turning; ++n) {
    const auto at = static_cast<size_t>(n);
    forward.push_back(n);
    const double traffic = cost_of(*p.graph, p.graph->node(p.node[at])).bytes;
    const bool replayable = p.cheap[at] && !p.problem.nodes[at].once;
    costs.push_back(replayable ? kBytesWorthOfTraffic * traffic : FlowNetwork::kUncuttable);
  }
  const std::vector<bool> kept = cheapest_to_keep(p.problem, forward, read_in_backward(p), costs);
  SequenceWriter writer(p.problem);
  for (const int32_t n : order) {
    writer.run(n);
    if (n != p.turning) continue;
    for (const int32_t f : forward) {
      for (const int32_t v : p.problem.nodes[static_cast<size_t>(f)].outputs) {
        if (!kept[static_cast<size_t>(v)]) writer.forget(v);
      }
    }
  }
  return writer.finish();
}

}  // namespace sesame::remat
