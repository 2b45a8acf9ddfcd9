#pragma once

#include "sesame/base/function_ref.h"
#include "sesame/graph/graph.h"

namespace sesame {

/// Replaces every node for which `has_kernel` is false by its op's decomposition, as often as needed. Throws Error
/// naming a primitive that has neither kernel nor decomposition.
Graph lower(const Graph& graph, FunctionRef<bool(const Graph&, const Node&)> has_kernel);

}  // namespace sesame
