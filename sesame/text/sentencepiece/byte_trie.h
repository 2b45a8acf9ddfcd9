#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/base/flat_array.h"

namespace sesame {

/// Finds the byte strings of a set that a text begins with: a double array, one load a byte. Immutable; copies share
/// it.
class ByteTrie {
 public:
  /// Finds nothing.
  ByteTrie();
  /// Strings that differ and are not empty, in any order, and their values, which are >= 0. `weights`, by value: how
  /// often strings are looked for, one against another, where that is known. Throws Error for strings that take more
  /// than 2^23 nodes.
  explicit ByteTrie(std::vector<std::pair<std::string_view, int32_t>> strings, std::span<const double> weights = {});

  /// Calls visit(length, place) for the strings that text[begin, ...) begins with, shortest first: values()[place] is
  /// the string's value.
  template <typename Visit>
  void for_each_place(std::string_view text, size_t begin, Visit&& visit) const {
    const uint32_t* const units = units_.data();
    uint32_t base = units[0] >> base_shift;
    for (size_t i = begin; i < text.size(); ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      const uint32_t place = base ^ byte;
      const uint32_t unit = units[place];
      if (static_cast<uint8_t>(unit) != byte) return;
      if ((unit & value_bit) != 0) visit(i + 1 - begin, place);
      base = unit >> base_shift;
      if (base == 0) return;
    }
  }
  /// The same with visit(length, value).
  template <typename Visit>
  void for_each_prefix(std::string_view text, size_t begin, Visit&& visit) const {
    for_each_place(text, begin, [&](size_t length, uint32_t place) { visit(length, values_[place]); });
  }

  /// By place, -1 where no string ends.
  [[nodiscard]] std::span<const int32_t> values() const noexcept { return {values_.data(), values_.size()}; }

  struct Match {
    size_t length = 0;  // 0: none
    int32_t value = -1;
  };
  [[nodiscard]] Match longest_prefix(std::string_view text, size_t begin = 0) const {
    Match match;
    for_each_prefix(text, begin, [&](size_t length, int32_t value) { match = {length, value}; });
    return match;
  }
  /// The value of a string, or -1.
  [[nodiscard]] int32_t find(std::string_view text) const {
    const Match match = longest_prefix(text);
    return match.length == text.size() ? match.value : -1;
  }

 private:
  /// A unit: the byte that leads here, whether a string ends here, the base.
  static constexpr uint32_t value_bit = uint32_t{1} << 8;
  static constexpr int base_shift = 9;

  FlatArray<uint32_t> units_;
  FlatArray<int32_t> values_;  // by place; a walk reads them only where a string ends
};

}  // namespace sesame
