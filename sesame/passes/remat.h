#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/graph/graph.h"

namespace sesame {

/// How a step may trade computing again for memory.
struct RematOptions {
  /// Compute again what costs no more than writing and reading it would: norms, activations, dropout.
  bool free_replays = true;
  /// The arena may not take more bytes than this; absent: as much as it likes.
  std::optional<int64_t> budget_bytes = {};
};

/// What a node costs on the machine that it will run on.
struct NodeCosts {
  FunctionRef<double(const Graph&, const Node&)> seconds;
  FunctionRef<int64_t(const Graph&, const Node&)> workspace;  // bytes of scratch memory
};

/// What the pass did, and how good it is.
struct RematReport {
  int64_t bytes_without = 0;       // arena of the graph as it came
  int64_t bytes = 0;               // arena of the graph as it left: never over the budget
  int64_t minimum_bytes = 0;       // the least budget that the pass can meet; 0 where it was not asked for
  int64_t activation_bytes = 0;    // of bytes_without: values kept from the forward to the backward part
  double seconds_without = 0;      // by the given costs, each node once
  double seconds = 0;              // by the given costs, replays included
  double lower_bound_seconds = 0;  // no execution within the budget is faster
  double planning_seconds = 0;

  /// A forward value that the backward part reads.
  struct Activation {
    std::string name;  // "h.3.attn: attention [16, 256, 384]"
    int64_t bytes = 0;
    bool kept = true;  // over the turning point from forward to backward
    int replays = 0;   // how often it is computed again
    double replay_seconds = 0;
  };
  std::vector<Activation> activations;  // in the order of the forward part

  [[nodiscard]] double overhead() const { return seconds_without > 0 ? seconds / seconds_without - 1 : 0; }
};

struct RematResult {
  Graph graph;
  RematReport report;
};

/// Gradient checkpointing as a pass (Chen et al. 2016; Herrmann et al. 2019): the same results, bit for bit, from a
/// graph whose planned arena fits the budget, with as little computed again as we know how. Replayed nodes are ordinary
/// nodes marked as replays, with the same random keys, in the order of execution. Works on any graph; a graph that
/// holds no backward part comes back as it is. Throws Error naming the least possible budget if `budget_bytes` is below
/// it.
RematResult rematerialise(const Graph& graph, const RematOptions& options, const NodeCosts& costs);

/// The least arena that rematerialise() can reach for this graph.
int64_t least_budget(const Graph& graph, const NodeCosts& costs);

}  // namespace sesame
