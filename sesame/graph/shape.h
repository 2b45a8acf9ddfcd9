#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "sesame/graph/dtype.h"

namespace sesame {

/// The sizes of a dense row-major tensor, at most kMaxRank of them, each >= 1. Rank 0 is a scalar.
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}

  /// Throws Error if there are more than kMaxRank sizes, one is below 1, or the number of elements passes 2^62.
  explicit Shape(std::span<const int64_t> dims);

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int64_t operator[](int axis) const { return dims_[axis < 0 ? rank_ + axis : axis]; }
  [[nodiscard]] std::span<const int64_t> dims() const { return {dims_.data(), static_cast<size_t>(rank_)}; }
  [[nodiscard]] int64_t elements() const { return elements_; }

  /// The same shape with one size replaced; axis may count from the end (-1 is the last).
  [[nodiscard]] Shape with(int axis, int64_t size) const;

  /// "[2, 3]"
  [[nodiscard]] std::string to_string() const;

  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
  int64_t elements_ = 1;
};

/// The type of a value: what its elements are and how many along each axis.
struct Type {
  DType dtype = DType::f32;
  Shape shape;

  [[nodiscard]] int64_t bytes() const { return shape.elements() * static_cast<int64_t>(size_of(dtype)); }

  /// "float32 [2, 3]"
  [[nodiscard]] std::string to_string() const { return std::string(name_of(dtype)) + " " + shape.to_string(); }

  bool operator==(const Type&) const = default;
};

/// The shape that both broadcast to under NumPy's rule (sizes aligned at the last axis, 1 stretches); false if none.
bool broadcast_shapes(const Shape& a, const Shape& b, Shape* out);

}  // namespace sesame
