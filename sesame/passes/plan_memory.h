#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/graph/graph.h"

namespace sesame {

/// Every buffer of the arena starts at a multiple of this and takes a multiple of it.
inline constexpr int64_t kArenaAlignment = 64;

/// Where one output of one node lies.
struct Placement {
  enum class Where : uint8_t { arena, variable, nowhere };
  Where where = Where::nowhere;
  int64_t offset = 0;     // arena: byte offset, a multiple of 64
  NodeId variable = -1;   // variable: whose storage
  int32_t first_use = 0;  // position in the schedule of the node that writes it ...
  int32_t last_use = 0;   // ... and of the last that reads its bytes (of any value that shares the buffer)
  std::string reason;     // "in place of %12", "view of %3", "update of wte", "own buffer"
};

/// Where every value and every kernel's scratch memory lies during a step.
struct MemoryPlan {
  std::vector<NodeId> schedule;                    // the nodes in the order of execution
  std::vector<std::vector<Placement>> placements;  // [node][output]
  std::vector<int64_t> workspace_offsets;          // [position in schedule], -1 for none
  std::vector<int64_t> workspace_bytes;            // [position in schedule]
  std::vector<Graph::Update> copies;               // updates that need a copy at the end of the step
  int64_t arena_bytes = 0;
  int64_t lower_bound_bytes = 0;  // the largest sum of live bytes at any position
};

/// Decides the schedule (the order of the nodes), which values share a buffer (views, in-place ops, values written
/// straight into the variable that they update) and the offset of every buffer in one arena. `workspace` gives the
/// scratch bytes of a node. Inputs and outputs keep their place for the whole step.
MemoryPlan plan_memory(const Graph& graph, FunctionRef<int64_t(const Graph&, const Node&)> workspace);

/// Checks a plan by simulation, independently of how it was made: every value is intact when it is read, no buffer
/// leaves the arena, and in-place and update placements are legal. Throws Error naming the first violation.
void check_plan(const Graph& graph, const MemoryPlan& plan);

/// One line per buffer: node, name, offset, bytes, life, reason.
std::string to_string(const Graph& graph, const MemoryPlan& plan);

}  // namespace sesame
