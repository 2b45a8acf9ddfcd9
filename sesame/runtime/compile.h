#pragma once

#include "sesame/backend/kernel.h"
#include "sesame/graph/graph.h"
#include "sesame/passes/plan_memory.h"

namespace sesame {

/// A graph as it runs, and where its values lie.
struct CompiledGraph {
  Graph graph;
  MemoryPlan plan;
};

struct CompileOptions {
  const Backend* backend = nullptr;  // null: cpu_backend()
  int threads = 1;                   // scratch memory of some kernels depends on it
};

/// True for leaves and views: no kernel is called for them.
bool runs_no_kernel(const Node& node);

/// The passes from a model's graph to what a Program runs, in their order: simplify, lower what the backend lacks,
/// simplify again, plan memory. The result is verified and the plan checked. Throws Error naming the op that no kernel
/// serves.
CompiledGraph compile(const Graph& graph, const CompileOptions& options);

}  // namespace sesame
