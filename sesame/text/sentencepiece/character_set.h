#pragma once

#include <array>
#include <cstdint>

namespace sesame {

/// Characters below U+10000, a bit each.
class CharacterSet {
 public:
  static constexpr uint32_t limit = 0x10000;

  [[nodiscard]] bool contains(uint32_t code) const noexcept { return (bits_[code / 64] >> (code % 64) & 1) != 0; }
  void insert(uint32_t code) noexcept { bits_[code / 64] |= uint64_t{1} << (code % 64); }
  /// All from `first` up to, not including, `end`.
  void insert(uint32_t first, uint32_t end) noexcept {
    for (uint32_t code = first; code < end; ++code) insert(code);
  }
  void insert_all() noexcept { bits_.fill(~uint64_t{0}); }

 private:
  std::array<uint64_t, limit / 64> bits_{};
};

}  // namespace sesame
