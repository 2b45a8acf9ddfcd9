#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "sesame/graph/shape.h"

namespace sesame {

/// How to walk N operands that broadcast to one shape: axes that all operands walk alike are merged, so that the last
/// one is as long as possible. Along it each operand's stride is 1 or 0.
template <size_t N>
class BroadcastPlan {
 public:
  BroadcastPlan(const Shape& out, const std::array<Shape, N>& inputs) {
    std::array<std::array<int64_t, N>, Shape::kMaxRank> strides{};
    for (size_t i = 0; i < N; ++i) {
      int64_t stride = 1;
      for (int axis = out.rank() - 1; axis >= 0; --axis) {
        const int own = axis - (out.rank() - inputs[i].rank());
        const int64_t size = own < 0 ? 1 : inputs[i][own];
        strides[static_cast<size_t>(axis)][i] = size == 1 ? 0 : stride;
        stride *= size;
      }
    }
    for (int axis = 0; axis < out.rank(); ++axis) {
      if (out[axis] == 1) continue;
      const auto& step = strides[static_cast<size_t>(axis)];
      bool merges = rank_ > 0;
      for (size_t i = 0; merges && i < N; ++i) merges = strides_[rank_ - 1][i] == step[i] * out[axis];
      if (!merges) sizes_[rank_++] = 1;
      sizes_[rank_ - 1] *= out[axis];
      strides_[rank_ - 1] = step;
    }
    if (rank_ == 0) sizes_[rank_++] = 1;
  }

  /// Whether operand i is one and the same element along a run.
  [[nodiscard]] bool repeats(size_t i) const { return strides_[rank_ - 1][i] == 0; }

  /// Calls f(at, offsets, count) for runs that together cover the output's elements [begin, end): `count` elements from
  /// `at`, which lie at offsets[i] of operand i.
  template <typename F>
  void for_each_run(int64_t begin, int64_t end, F&& f) const {
    const int64_t length = sizes_[rank_ - 1];
    for (int64_t at = begin; at < end;) {
      const int64_t within = at % length;
      const int64_t count = std::min(length - within, end - at);
      std::array<int64_t, N> offsets{};
      for (size_t i = 0; i < N; ++i) offsets[i] = within * strides_[rank_ - 1][i];
      int64_t rest = at / length;
      for (size_t axis = rank_ - 1; axis-- > 0; rest /= sizes_[axis]) {
        for (size_t i = 0; i < N; ++i) offsets[i] += rest % sizes_[axis] * strides_[axis][i];
      }
      f(at, offsets, count);
      at += count;
    }
  }

 private:
  size_t rank_ = 0;
  std::array<int64_t, Shape::kMaxRank> sizes_{};
  std::array<std::array<int64_t, N>, Shape::kMaxRank> strides_{};
};

}  // namespace sesame
