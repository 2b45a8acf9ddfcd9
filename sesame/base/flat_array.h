#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "sesame/base/huge_buffer.h"

namespace sesame {

/// Elements that lie side by side and do not change: its own, or those of a mapped file that it keeps open. Copies
/// share them.
template <typename T>
requires std::is_trivially_copyable_v<T>
class FlatArray {
 public:
  FlatArray() = default;
  /// Takes the elements.
  FlatArray(std::vector<T> elements) {  // NOLINT(google-explicit-constructor): a vector is what a builder has
    const auto owner = std::make_shared<const std::vector<T>>(std::move(elements));
    view_ = *owner;
    owner_ = owner;
  }
  /// A copy of elements in huge pages: for tables of some megabytes that are read here and there.
  static FlatArray in_huge_pages(std::span<const T> elements) {
    const auto owner = std::make_shared<const HugeBuffer>(elements.size_bytes());
    const std::span<T> copy = owner->template as<T>();
    std::copy(elements.begin(), elements.end(), copy.begin());
    return {copy, owner};
  }
  /// Elements that live as long as `owner`.
  FlatArray(std::span<const T> view, std::shared_ptr<const void> owner) : view_(view), owner_(std::move(owner)) {}

  [[nodiscard]] const T* data() const noexcept { return view_.data(); }
  [[nodiscard]] size_t size() const noexcept { return view_.size(); }
  [[nodiscard]] bool empty() const noexcept { return view_.empty(); }
  [[nodiscard]] const T& operator[](size_t i) const noexcept { return view_[i]; }
  [[nodiscard]] const T& back() const noexcept { return view_.back(); }
  [[nodiscard]] auto begin() const noexcept { return view_.begin(); }
  [[nodiscard]] auto end() const noexcept { return view_.end(); }
  [[nodiscard]] std::span<const T> span() const noexcept { return view_; }

 private:
  std::span<const T> view_;
  std::shared_ptr<const void> owner_;
};

}  // namespace sesame
