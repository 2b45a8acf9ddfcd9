#pragma once

#include <cstddef>

namespace sesame {

/// Address space for the values of a step. It is reserved once, so that addresses never change; memory is taken (in
/// huge pages, touched at once) only up to the largest size that was asked for. Not thread-safe.
class Arena {
 public:
  Arena();
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// Makes the first `bytes` bytes usable and touches their pages; returns the start, 2 MiB aligned. Throws Error when
  /// the machine has not that much memory free, saying how much is needed and how much there is.
  std::byte* ensure(size_t bytes);

  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::byte* mapping_ = nullptr;
  std::byte* base_ = nullptr;
  size_t reserved_ = 0;
  size_t bytes_ = 0;
};

}  // namespace sesame
