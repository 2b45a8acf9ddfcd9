#pragma once

#include <functional>

#include "sesame/backend/kernel.h"
#include "sesame/graph/graph.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/passes/remat.h"

namespace sesame {

/// A graph as it runs, and where its values lie.
struct CompiledGraph {
  Graph graph;
  MemoryPlan plan;
  RematReport remat = {};
};

struct CompileOptions {
  const Backend* backend = nullptr;  // null: cpu_backend()
  int threads = 1;                   // scratch memory of some kernels depends on it
  RematOptions remat = {};
  /// What a node takes, for recomputation within a budget. Empty: roofline_seconds().
  std::function<double(const Graph&, const Node&)> seconds = {};
};

/// The seconds of a node on a machine of 100 GFLOP/s and 10 GB/s: right in proportion where nothing was measured.
double roofline_seconds(const Graph& graph, const Node& node);

/// True for leaves and views: no kernel is called for them.
bool runs_no_kernel(const Node& node);

/// The passes from a model's graph to what a Program runs, in their order: simplify, lower what the backend lacks,
/// simplify again, rematerialise, plan memory. The result is verified and the plan checked. Throws Error naming the op
/// that no kernel serves, or the least budget where the one given is below it.
CompiledGraph compile(const Graph& graph, const CompileOptions& options);

/// The least budget, in bytes of the arena, with which compile() can do; `options.remat` does not matter.
int64_t least_arena_bytes(const Graph& graph, const CompileOptions& options);

}  // namespace sesame
