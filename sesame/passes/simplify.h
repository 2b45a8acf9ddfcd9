#pragma once

#include "sesame/graph/graph.h"

namespace sesame {

/// The same results with less work: drops what no output or update needs, merges equal nodes, folds identities (x + 0,
/// x * 1, reshapes of reshapes), writes sums of gradient contributions as accumulating matrix products, and joins a
/// projected cross-entropy with its gradient where the loss scale is known. Names, updates and leaves stay.
Graph simplify(const Graph& graph);

}  // namespace sesame
