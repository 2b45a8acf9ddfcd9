#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sesame {

/// One byte for every code point, in two levels: about 40 KiB, of which a text of few scripts touches little.
class PropertyTable {
 public:
  static constexpr uint32_t code_points = 0x110000;

  PropertyTable();  // 0 everywhere

  /// The values of `runs`: each the first code point << 8 | a value, from 0 on and in order.
  explicit PropertyTable(std::span<const uint32_t> runs);

  /// Sets the values of [first, last]; best called in order.
  void set(uint32_t first, uint32_t last, uint8_t value);

  /// `code` < code_points.
  [[nodiscard]] uint8_t of(uint32_t code) const noexcept {
    return values_[(static_cast<size_t>(index_[code >> block_bits]) << block_bits) + (code & block_mask)];
  }

 private:
  static constexpr uint32_t block_bits = 7;
  static constexpr uint32_t block_size = 1u << block_bits;
  static constexpr uint32_t block_mask = block_size - 1;

  /// The number of the block that holds `value` alone.
  uint16_t uniform_block(uint8_t value);

  std::array<uint16_t, (code_points >> block_bits)> index_{};
  std::array<uint16_t, 256> uniform_{};  // 0: none yet, but for the value 0
  std::vector<uint8_t> values_;
};

}  // namespace sesame
