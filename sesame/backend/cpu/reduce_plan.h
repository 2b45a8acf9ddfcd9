#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/graph/shape.h"

namespace sesame {

/// A reduction as a few nested loops: neighbouring axes of the same fate are one axis, the last of them is `width` long
/// and either kept (each output row is a sum of input rows) or summed (each output is a sum of input rows' sums).
///
/// Where there are few outputs, the sums are cut into `parts` with partial results in the workspace, added in order.
struct ReducePlan {
  struct Axis {
    int64_t size;
    int64_t stride;
  };
  std::array<Axis, Shape::kMaxRank> kept{};
  std::array<Axis, Shape::kMaxRank> summed{};
  size_t kept_axes = 0;
  size_t summed_axes = 0;
  int64_t kept_count = 1;    // product of `kept`
  int64_t summed_count = 1;  // product of `summed`
  int64_t width = 1;
  bool width_is_kept = false;
  int64_t parts = 1;

  ReducePlan(const Shape& in, const std::vector<int64_t>& axes) {
    std::array<Axis, Shape::kMaxRank> merged{};
    std::array<bool, Shape::kMaxRank> is_summed{};
    size_t rank = 0;
    int64_t stride = 1;
    for (int axis = in.rank() - 1; axis >= 0; stride *= in[axis], --axis) {
      if (in[axis] == 1) continue;
      const bool sums = std::ranges::find(axes, axis) != axes.end();
      if (rank > 0 && is_summed[rank - 1] == sums) {
        merged[rank - 1].size *= in[axis];
      } else {
        is_summed[rank] = sums;
        merged[rank++] = {in[axis], stride};
      }
    }
    if (rank > 0) {
      width = merged[0].size;
      width_is_kept = !is_summed[0];
    }
    for (size_t i = 1; i < rank; ++i) {
      (is_summed[i] ? summed[summed_axes++] : kept[kept_axes++]) = merged[i];
      (is_summed[i] ? summed_count : kept_count) *= merged[i].size;
    }
    constexpr int64_t kEnoughUnits = 16;
    if (kept_count < kEnoughUnits) {
      const int64_t pieces = summed_pieces();
      parts =
          std::clamp<int64_t>(pieces * std::min(width, kPiece) / kElementsPerBlock, 1, std::min(pieces, kMaxRowParts));
    }
  }

  /// A long summed row is cut into pieces of this many elements, so that it can be shared among parts.
  static constexpr int64_t kPiece = 4096;
  [[nodiscard]] int64_t pieces_per_row() const { return width_is_kept ? 1 : (width + kPiece - 1) / kPiece; }
  [[nodiscard]] int64_t summed_pieces() const { return summed_count * pieces_per_row(); }

  /// Elements of the output per index of `kept`.
  [[nodiscard]] int64_t out_width() const { return width_is_kept ? width : 1; }
  [[nodiscard]] size_t workspace_bytes() const {
    return parts == 1 ? 0 : static_cast<size_t>(parts * kept_count * out_width()) * sizeof(float);
  }

  static int64_t offset(std::span<const Axis> axes, int64_t index) {
    int64_t at = 0;
    for (const Axis& axis : axes) {
      at += index % axis.size * axis.stride;
      index /= axis.size;
    }
    return at;
  }
  [[nodiscard]] int64_t kept_offset(int64_t index) const { return offset({kept.data(), kept_axes}, index); }
  [[nodiscard]] int64_t summed_offset(int64_t index) const { return offset({summed.data(), summed_axes}, index); }
};

}  // namespace sesame
