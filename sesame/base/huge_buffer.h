#pragma once

#include <cstddef>
#include <span>

namespace sesame {

/// Zero-filled memory straight from the system, aligned to 2 MiB and advised to lie in huge pages: for arenas and
/// parameters. A page touched for the first time costs about fifteen times a page used again.
class HugeBuffer {
 public:
  static constexpr size_t kAlignment = size_t{2} << 20;

  /// When the pages are touched for the first time: by whoever uses them, or here, at once.
  enum class FirstTouch { later, now };

  HugeBuffer() = default;
  /// Throws Error with the size asked for when the system refuses.
  explicit HugeBuffer(size_t bytes, FirstTouch first_touch = FirstTouch::later);
  HugeBuffer(HugeBuffer&& other) noexcept;
  HugeBuffer& operator=(HugeBuffer&& other) noexcept;
  ~HugeBuffer();

  /// Makes room for so many bytes, keeping what is there: pages move, bytes do not. Never makes it smaller. Throws
  /// Error as the constructor does; the buffer is then as it was.
  void grow(size_t bytes);

  [[nodiscard]] std::byte* data() const noexcept { return data_; }
  [[nodiscard]] size_t size() const noexcept { return size_; }

  /// The memory as elements of T; trailing bytes that make no whole element are left out.
  template <typename T>
  [[nodiscard]] std::span<T> as() const noexcept {
    return {reinterpret_cast<T*>(data_), size_ / sizeof(T)};
  }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace sesame
