#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sesame {

/// A set of characters: code points, and `not_utf8`, which stands for a byte that is not UTF-8.
class CodePointSet {
 public:
  struct Range {
    uint32_t first;
    uint32_t last;
  };
  static constexpr uint32_t not_utf8 = 0x110000;

  CodePointSet() = default;
  static CodePointSet of(uint32_t code) { return range(code, code); }
  static CodePointSet range(uint32_t first, uint32_t last);
  static CodePointSet everything() { return range(0, not_utf8); }
  /// The code points of a set of general categories (category_set).
  static CodePointSet of_categories(uint32_t categories);
  /// The ranges of a table of runs (unicode_runs.h) that have `value`.
  static CodePointSet of_runs(const uint32_t* runs, size_t count, uint8_t value);

  [[nodiscard]] bool empty() const noexcept { return ranges_.empty(); }
  [[nodiscard]] bool contains(uint32_t code) const noexcept;
  /// In order, neither touching nor overlapping.
  [[nodiscard]] const std::vector<Range>& ranges() const noexcept { return ranges_; }

  void add(const CodePointSet& other);
  [[nodiscard]] CodePointSet complement() const;
  [[nodiscard]] CodePointSet intersection(const CodePointSet& other) const;
  /// With every code point that has the same simple case folding as one of the set.
  [[nodiscard]] CodePointSet closed_under_case() const;

 private:
  std::vector<Range> ranges_;
};

}  // namespace sesame
