#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sesame/graph/graph.h"

namespace sesame {

/// What the nodes of one scope cost together.
struct ScopeCost {
  std::string scope;  // "h.3.attn", "" for what stands outside any scope
  int64_t nodes = 0;
  int64_t parameters = 0;    // elements of the variables first used there
  double model_flops = 0;    // analyze/flops.h
  double flops = 0;          // as the ops count them, elementwise work included
  double bytes = 0;          // read and written
  int64_t output_bytes = 0;  // of the values made there
};

/// One row per scope of at most `depth` parts, in order of first appearance. Scopes of a graph sum to its total.
std::vector<ScopeCost> cost_by_scope(const Graph& graph, int depth);

}  // namespace sesame
