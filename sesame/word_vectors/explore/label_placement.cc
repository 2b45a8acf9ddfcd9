#include "sesame/word_vectors/explore/label_placement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <unordered_map>

#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

/// Boxes by the cells of a grid that they touch, so that each is held against its neighbours only.
class BoxGrid {
 public:
  void add(const Box& box) {
    boxes_.push_back(box);
    for_each_cell(box, [&](int64_t cell) {
      cells_[cell].push_back(boxes_.size() - 1);
      return true;
    });
  }

  [[nodiscard]] bool hits(const Box& box) const {
    bool hit = false;
    for_each_cell(box, [&](int64_t cell) {
      const auto found = cells_.find(cell);
      if (found == cells_.end()) return true;
      for (const size_t i : found->second) hit = hit || boxes_[i].overlaps(box);
      return !hit;
    });
    return hit;
  }

  /// Boxes that overlap; one that lies in several cells may count several times.
  [[nodiscard]] int count(const Box& box) const {
    int overlapping = 0;
    for_each_cell(box, [&](int64_t cell) {
      const auto found = cells_.find(cell);
      if (found == cells_.end()) return true;
      for (const size_t i : found->second) overlapping += boxes_[i].overlaps(box) ? 1 : 0;
      return true;
    });
    return overlapping;
  }

 private:
  template <typename F>
  static void for_each_cell(const Box& box, F f) {
    constexpr double kCell = 40;  // pixels
    const auto cell_of = [](double v) { return static_cast<int64_t>(std::floor(v / kCell)); };
    for (int64_t i = cell_of(box.left); i <= cell_of(box.right); ++i) {
      for (int64_t j = cell_of(box.top); j <= cell_of(box.bottom); ++j) {
        if (!f((i << 32) + j)) return;
      }
    }
  }

  std::vector<Box> boxes_;
  std::unordered_map<int64_t, std::vector<size_t>> cells_;
};

/// Where a label may lie, seen from its point: -1, 0, 1 for left, middle, right and above, middle, below.
struct Position {
  int x;
  int y;
  double gap;  // pixels between the point and the label
};

constexpr double kNear = 2, kFar = 11, kFarther = 20;
/// What it costs to hide a point, in pixels of distance, and what is too much.
constexpr double kHiddenCost = 14, kMostCost = 60;
constexpr std::array<Position, 24> kPositions = {{
    {1, 0, kNear},      {-1, 0, kNear},    {0, -1, kNear},    {0, 1, kNear},    {1, -1, kNear},    {1, 1, kNear},
    {-1, -1, kNear},    {-1, 1, kNear},    {1, -1, kFar},     {1, 1, kFar},     {-1, -1, kFar},    {-1, 1, kFar},
    {0, -1, kFar},      {0, 1, kFar},      {1, 0, kFar},      {-1, 0, kFar},    {1, -1, kFarther}, {1, 1, kFarther},
    {-1, -1, kFarther}, {-1, 1, kFarther}, {0, -1, kFarther}, {0, 1, kFarther}, {1, 0, kFarther},  {-1, 0, kFarther},
}};

Box box_at(const LabelRequest& label, const Position& position) {
  // Aside, the gap holds in x alone; at a corner the label may begin above the point.
  const double reach = label.point_radius + position.gap;
  const double aside = position.y == 0 ? reach : reach * 0.6;
  const double x = label.x + position.x * (aside + label.width / 2);
  const double y = label.y + position.y * (reach + label.height / 2) * (position.x == 0 ? 1 : 0.8);
  return {x - label.width / 2, y - label.height / 2, x + label.width / 2, y + label.height / 2};
}

}  // namespace

double text_width(std::string_view text) {
  double width = 0;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    at += c.length;
    constexpr uint32_t kFirstWide = 0x1100;  // Hangul; CJK, kana and the like lie above it
    if (c.code >= kFirstWide) {
      width += 1;
    } else if (c.code >= 'A' && c.code <= 'Z') {
      width += 0.68;
    } else if (c.code < 0x80 &&
               std::string_view("fijlrt.,:;'|!()[] ").find(static_cast<char>(c.code)) != std::string_view::npos) {
      width += 0.36;
    } else if (c.code == 'm' || c.code == 'w') {
      width += 0.86;
    } else {
      width += 0.58;
    }
  }
  return width;
}

std::vector<LabelPlace> place_labels(std::span<const LabelRequest> labels, const Box& area) {
  BoxGrid points, taken;
  for (const LabelRequest& l : labels) {
    const double r = l.point_radius;
    points.add({l.x - r, l.y - r, l.x + r, l.y + r});
  }
  std::vector<LabelPlace> places;
  for (const LabelRequest& label : labels) {
    LabelPlace best;
    double least = kMostCost;
    for (const Position& position : kPositions) {
      const Box box = box_at(label, position);
      if (!box.inside(area) || taken.hits(box)) continue;
      const double cost = kHiddenCost * points.count(box) + position.gap;
      if (cost >= least) continue;
      best = {true, box, position.x, position.gap > kNear};
      least = cost;
    }
    if (best.placed) taken.add(best.box);
    places.push_back(best);
  }
  return places;
}

}  // namespace sesame
