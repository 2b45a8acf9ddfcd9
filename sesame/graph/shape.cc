#include "sesame/graph/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sesame/base/error.h"

namespace sesame {

Shape::Shape(std::span<const int64_t> dims) {
  if (dims.size() > kMaxRank) {
    fail(fmt::format("shape [{}]: at most {} axes are supported", fmt::join(dims, ", "), kMaxRank));
  }
  constexpr int64_t kMaxElements = int64_t{1} << 62;
  rank_ = static_cast<int>(dims.size());
  for (int axis = 0; axis < rank_; ++axis) {
    const int64_t size = dims[static_cast<size_t>(axis)];
    if (size < 1) fail(fmt::format("shape [{}]: every size must be at least 1", fmt::join(dims, ", ")));
    if (elements_ > kMaxElements / size) fail(fmt::format("shape [{}]: too many elements", fmt::join(dims, ", ")));
    elements_ *= size;
    dims_[static_cast<size_t>(axis)] = size;
  }
}

Shape Shape::with(int axis, int64_t size) const {
  auto dims = dims_;
  dims[static_cast<size_t>(axis < 0 ? rank_ + axis : axis)] = size;
  return Shape(std::span<const int64_t>(dims.data(), static_cast<size_t>(rank_)));
}

std::string Shape::to_string() const { return fmt::format("[{}]", fmt::join(dims(), ", ")); }

bool broadcast_shapes(const Shape& a, const Shape& b, Shape* out) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<int64_t, Shape::kMaxRank> dims{};
  for (int i = 1; i <= rank; ++i) {
    const int64_t from_a = i <= a.rank() ? a[-i] : 1;
    const int64_t from_b = i <= b.rank() ? b[-i] : 1;
    if (from_a != from_b && from_a != 1 && from_b != 1) return false;
    dims[static_cast<size_t>(rank - i)] = std::max(from_a, from_b);
  }
  *out = Shape(std::span<const int64_t>(dims.data(), static_cast<size_t>(rank)));
  return true;
}

}  // namespace sesame
