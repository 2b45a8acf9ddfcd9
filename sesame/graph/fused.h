#pragma once

#include <cstddef>

#include "sesame/graph/graph.h"

namespace sesame {

/// Limits of one fused node; kernels have room for this much.
inline constexpr size_t kMaxFusedInputs = 16;
inline constexpr size_t kMaxFusedInstructions = 48;
inline constexpr size_t kMaxFusedResults = 3;

/// How many operands an instruction of this op takes; -1 if the op cannot be one. constant and broadcast_to (the
/// identity: an input that is a result as well) have their graph meaning.
int fused_operands(Op op);

/// The shape of outputs with a reduction.
Shape reduced_shape(const FusedAttributes& attributes);

/// True if the last axes are reduced, false if the first ones are. All of them count as the last.
inline bool reduces_last_axes(const FusedAttributes& attributes) {
  return !attributes.axes.empty() && attributes.axes.back() == attributes.shape.rank() - 1;
}

/// Elements of the axes that are walked fastest: those reduced into one where the last axes are, else those of one row
/// of sums. 1 without reduction.
inline int64_t fused_row_length(const FusedAttributes& attributes) {
  if (attributes.axes.empty()) return 1;
  const int first = reduces_last_axes(attributes) ? static_cast<int>(attributes.axes.front())
                                                  : static_cast<int>(attributes.axes.back()) + 1;
  int64_t length = 1;
  for (int axis = first; axis < attributes.shape.rank(); ++axis) length *= attributes.shape[axis];
  return length;
}

}  // namespace sesame
