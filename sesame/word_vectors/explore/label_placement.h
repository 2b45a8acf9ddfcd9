#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace sesame {

/// In pixels, y downwards.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;

  [[nodiscard]] bool overlaps(const Box& other) const noexcept {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
  [[nodiscard]] bool inside(const Box& other) const noexcept {
    return left >= other.left && right <= other.right && top >= other.top && bottom <= other.bottom;
  }
};

/// Width of a text in a usual sans-serif font, in units of the font's size; UTF-8, East Asian characters are wide.
double text_width(std::string_view text);

/// A point that wants a label.
struct LabelRequest {
  double x = 0, y = 0;  // of the point
  double width = 0;     // of the text
  double height = 0;    // of its line
  double point_radius = 0;
};

struct LabelPlace {
  bool placed = false;
  Box box;
  int side = 0;      // 1: to the right of its point, -1: to the left, 0: above or below
  bool led = false;  // far enough from its point to need a line to it
};

/// Finds a place for each label within `area`, the first ones first: of the positions around its point that hide no
/// label placed before, the one that hides few points and lies near.
std::vector<LabelPlace> place_labels(std::span<const LabelRequest> labels, const Box& area);

}  // namespace sesame
