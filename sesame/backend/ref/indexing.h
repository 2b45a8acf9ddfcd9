#pragma once

#include <array>
#include <cstdint>

#include "sesame/graph/shape.h"

namespace sesame::ref {

/// How many elements one step along each axis skips.
using Strides = std::array<int64_t, Shape::kMaxRank>;

inline Strides strides_of(const Shape& shape) {
  Strides strides{};
  int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[static_cast<size_t>(axis)] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/// The strides by which an index into `to` reads a tensor of shape `from` that broadcasts to it: 0 along stretched
/// axes.
inline Strides broadcast_strides(const Shape& from, const Shape& to) {
  const Strides own = strides_of(from);
  Strides strides{};
  const auto missing = static_cast<size_t>(to.rank() - from.rank());
  for (int axis = 0; axis < from.rank(); ++axis) {
    strides[static_cast<size_t>(axis) + missing] = from[axis] == 1 ? 0 : own[static_cast<size_t>(axis)];
  }
  return strides;
}

/// Where element `index` of a tensor of shape `shape`, counted row by row, lies under the given strides.
inline int64_t offset_of(int64_t index, const Shape& shape, const Strides& strides) {
  int64_t offset = 0;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    offset += index % shape[axis] * strides[static_cast<size_t>(axis)];
    index /= shape[axis];
  }
  return offset;
}

}  // namespace sesame::ref
