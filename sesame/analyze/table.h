#pragma once

#include <string>
#include <vector>

namespace sesame {

/// Text in columns: the first column to the left, the others to the right, two spaces between, a rule under the
/// heading. Widths count code points.
class TextTable {
 public:
  explicit TextTable(std::vector<std::string> heading) : rows_{std::move(heading)} {}

  /// Rows may be shorter than the heading.
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }

  [[nodiscard]] std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace sesame
