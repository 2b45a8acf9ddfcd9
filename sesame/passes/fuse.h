#pragma once

#include "sesame/graph/graph.h"

namespace sesame {

/// Joins element-wise ops of one shape, and sums and maxima over their first or last axes, into `fused` nodes: what
/// passes between them is never written to memory. Element-wise results keep their bits; what is reduced is added up in
/// another order, which depends on the shapes alone.
///
/// A node joins its only or its last reader, never one across the turning point from forward to backward, and only if
/// no more bytes are alive in between than before: a value that would have been kept may be replaced by the operands
/// that it is made of, if they are no larger. Names, updates and leaves stay.
Graph fuse(const Graph& graph);

}  // namespace sesame
