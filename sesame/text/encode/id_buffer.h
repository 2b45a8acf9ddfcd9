#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>

#include "sesame/base/huge_buffer.h"

namespace sesame {

/// Token ids on their way out: a buffer that grows, is never filled with zeros, and keeps its pages when it is cleared.
/// An encoder asks for room for the most that it may write (a token has at least one byte of text), writes, and says
/// how much it wrote.
class IdBuffer {
 public:
  [[nodiscard]] std::span<const int32_t> ids() const noexcept { return {data(), size_}; }
  [[nodiscard]] std::span<int32_t> ids() noexcept { return {data(), size_}; }
  [[nodiscard]] size_t size() const noexcept { return size_; }
  void clear() noexcept { size_ = 0; }
  void truncate(size_t size) noexcept { size_ = std::min(size_, size); }

  /// Room for `count` ids behind the last one; the pointer is valid until the next call of reserve or push.
  [[nodiscard]] int32_t* reserve(size_t count) {
    if (capacity_ - size_ < count) grow(size_ + count);
    return data() + size_;
  }
  /// Takes `count` ids that were written where reserve said.
  void commit(size_t count) noexcept { size_ += count; }

  void push(int32_t id) {
    *reserve(1) = id;
    commit(1);
  }
  void append(std::span<const int32_t> ids) {
    if (ids.empty()) return;
    std::memcpy(reserve(ids.size()), ids.data(), ids.size_bytes());
    commit(ids.size());
  }

 private:
  [[nodiscard]] int32_t* data() const noexcept { return reinterpret_cast<int32_t*>(buffer_.data()); }

  void grow(size_t least) {
    // A text of a few kilobytes needs no huge page; what needs some is made of whole ones.
    constexpr size_t kSmallest = size_t{1} << 14;
    constexpr size_t kHugePage = HugeBuffer::kAlignment / sizeof(int32_t);
    size_t capacity = std::max({least, 2 * capacity_, kSmallest});
    if (capacity > kHugePage) capacity = (capacity + kHugePage - 1) / kHugePage * kHugePage;
    buffer_.grow(capacity * sizeof(int32_t));
    capacity_ = capacity;
  }

  HugeBuffer buffer_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sesame
