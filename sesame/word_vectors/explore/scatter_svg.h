#pragma once

#include <span>
#include <string>
#include <vector>

namespace sesame {

struct ScatterPoint {
  double x = 0;
  double y = 0;
  std::string label;
  int group = -1;  // into ScatterOptions::groups, or -1: of none
};

struct ScatterOptions {
  std::string title;
  std::string subtitle;
  std::string x_axis;
  std::string y_axis;
  std::vector<std::string> groups;  // a colour each, and an entry in the legend
  int width = 1000;                 // pixels
  int height = 760;
  bool equal_scales = true;  // a unit is as long along x as along y
};

/// A drawing of labelled points as an SVG document that stands alone, in light and dark by the reader's preference.
/// Labels are placed around their points where they hide neither other labels nor (mostly) points, the first points'
/// first; a label that finds no place is shown when the pointer rests on its point. Throws Error for coordinates that
/// are not finite.
std::string scatter_svg(std::span<const ScatterPoint> points, const ScatterOptions& options);

}  // namespace sesame
