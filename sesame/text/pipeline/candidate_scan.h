#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sesame {

/// Finds places where one of many strings may begin, by their first two bytes: 16 to 64 places at a time, whatever the
/// number of strings. The strings lie in eight buckets; a place is a candidate where all four half bytes occur in one
/// of them (as in Hyperscan's Teddy).
class CandidateScan {
 public:
  /// `strings`: none is empty.
  explicit CandidateScan(std::span<const std::string> strings);

  /// The first candidate at or behind `from`; text.size() where there is none. Every place where a string begins is
  /// one.
  [[nodiscard]] size_t next(std::string_view text, size_t from) const noexcept;

  /// Bit k of entry h: bucket k has a byte with that half at that place.
  struct Tables {
    std::array<uint8_t, 16> first_low{};
    std::array<uint8_t, 16> first_high{};
    std::array<uint8_t, 16> second_low{};
    std::array<uint8_t, 16> second_high{};
  };

 private:
  Tables tables_;
  uint8_t single_ = 0;  // buckets that hold a string of one byte
};

}  // namespace sesame
