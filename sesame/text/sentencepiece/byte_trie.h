#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/base/flat_array.h"

namespace sesame {

class ImageReader;
class ImageWriter;

/// Finds the byte strings of a set that a text begins with: a double array, one load a byte. Immutable; copies share
/// it.
class ByteTrie {
 public:
  /// Finds nothing.
  ByteTrie();
  /// Strings that differ and are not empty, in any order, and their values, which are >= 0. Throws Error for strings
  /// that take more than 2^24 nodes.
  explicit ByteTrie(std::vector<std::pair<std::string_view, int32_t>> strings);

  /// A section. Throws Error for one whose indices are out of range or whose values are not below `values`.
  ByteTrie(const ImageReader& image, std::string_view name, int32_t values);
  void write(ImageWriter& image, std::string_view name) const;

  /// Calls visit(length, value) for the strings that text[begin, ...) begins with, shortest first.
  template <typename Visit>
  void for_each_prefix(std::string_view text, size_t begin, Visit&& visit) const {
    const Unit* const units = units_.data();
    uint32_t base = units[0].base_and_label >> 8;
    for (size_t i = begin; i < text.size(); ++i) {
      const auto byte = static_cast<uint8_t>(text[i]);
      const Unit unit = units[base ^ byte];
      if (static_cast<uint8_t>(unit.base_and_label) != byte) return;
      if (unit.value >= 0) visit(i + 1 - begin, unit.value);
      base = unit.base_and_label >> 8;
      if (base == 0) return;
    }
  }

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
  struct Unit {
    uint32_t base_and_label = 0;  // base << 8 | the byte that leads here
    int32_t value = -1;
  };

  FlatArray<Unit> units_;
};

}  // namespace sesame
