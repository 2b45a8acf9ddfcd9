#include "sesame/word_vectors/explore/scatter_svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"
#include "sesame/word_vectors/explore/label_placement.h"

namespace sesame {
namespace {

constexpr double kMargin = 24;
constexpr double kFontSize = 11.5;
constexpr double kLineHeight = 13.5;
constexpr double kLegendStep = 20;

/// Colours that differ for readers with colour blindness too, on white and on near-black.
struct Color {
  const char* light;
  const char* dark;
};
constexpr std::array<Color, 10> kColors = {{{"#1f6fb4", "#6cb6f0"},
                                            {"#c8500a", "#ff9d57"},
                                            {"#1a8a4f", "#5fd08e"},
                                            {"#a03c9e", "#e39be0"},
                                            {"#96740a", "#e3c04d"},
                                            {"#c22f45", "#ff8594"},
                                            {"#0e8a94", "#55cfd8"},
                                            {"#6a51c4", "#b3a2ff"},
                                            {"#7a5230", "#d3a27c"},
                                            {"#5c6670", "#aab4be"}}};

int color_of(int group) { return group < 0 ? 0 : group % static_cast<int>(kColors.size()); }

std::string escaped(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const Utf8Char c = decode_utf8(text, at);
    const bool forbidden = c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0) || c.code == 0xFFFE || c.code == 0xFFFF;
    at += c.length;
    if (c.code == '&') {
      out += "&amp;";
    } else if (c.code == '<') {
      out += "&lt;";
    } else if (c.code == '>') {
      out += "&gt;";
    } else if (c.code == '"') {
      out += "&quot;";
    } else {
      append_utf8(forbidden ? 0xFFFD : c.code, out);
    }
  }
  return out;
}

/// Coordinates to pixels of an area.
class Scale {
 public:
  Scale(std::span<const ScatterPoint> points, const Box& area, bool equal) : area_(area) {
    for (const ScatterPoint& p : points) {
      if (!std::isfinite(p.x) || !std::isfinite(p.y)) fail(fmt::format("plot: \"{}\" lies nowhere", p.label));
    }
    const auto [left, right] = std::minmax_element(points.begin(), points.end(), by_x);
    const auto [low, high] = std::minmax_element(points.begin(), points.end(), by_y);
    if (points.empty()) return;
    middle_x_ = (left->x + right->x) / 2;
    middle_y_ = (low->y + high->y) / 2;
    constexpr double kInset = 30;  // room for labels at the edge
    unit_x_ = unit(area.right - area.left - 2 * kInset, right->x - left->x);
    unit_y_ = unit(area.bottom - area.top - 2 * kInset, high->y - low->y);
    if (equal) unit_x_ = unit_y_ = std::min(unit_x_, unit_y_);
  }

  [[nodiscard]] double x(double v) const { return (area_.left + area_.right) / 2 + unit_x_ * (v - middle_x_); }
  [[nodiscard]] double y(double v) const { return (area_.top + area_.bottom) / 2 - unit_y_ * (v - middle_y_); }

 private:
  static bool by_x(const ScatterPoint& a, const ScatterPoint& b) { return a.x < b.x; }
  static bool by_y(const ScatterPoint& a, const ScatterPoint& b) { return a.y < b.y; }
  static double unit(double pixels, double extent) { return extent > 0 ? pixels / extent : 1; }

  Box area_;
  double middle_x_ = 0, middle_y_ = 0, unit_x_ = 1, unit_y_ = 1;
};

class Drawing {
 public:
  explicit Drawing(const ScatterOptions& options) : options_(options) {}

  std::string draw(std::span<const ScatterPoint> points) {
    constexpr size_t kMany = 200;
    radius_ = points.size() > kMany ? 2.3 : 3;
    begin();
    header();
    legend();
    const Box area = frame();
    const Scale scale(points, area, options_.equal_scales);
    const std::vector<LabelPlace> places = places_of(points, scale, area);
    lines(points, scale, places);
    dots(points, scale);
    labels(points, places);
    return out_ + "</svg>\n";
  }

 private:
  template <typename... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }

  void begin() {
    add("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
        "role=\"img\">\n",
        options_.width, options_.height);
    add("<title>{}</title>\n<style>\n", escaped(options_.title));
    add("text {{ font-family: \"Helvetica Neue\", Arial, \"Noto Sans\", \"Noto Sans CJK SC\", \"DejaVu Sans\", "
        "sans-serif; fill: #20262c; }}\n.paper {{ fill: #ffffff; }}\n.frame {{ fill: none; stroke: #d5dade; }}\n"
        ".quiet {{ fill: #66717b; }}\n.label {{ font-size: {}px; paint-order: stroke; stroke: #ffffff; stroke-width: "
        "2.6px; stroke-linejoin: round; }}\n.lead {{ stroke: #9aa4ad; stroke-width: 0.7; }}\n",
        kFontSize);
    for (size_t i = 0; i < kColors.size(); ++i) add(".c{} {{ fill: {}; }}\n", i, kColors[i].light);
    add("@media (prefers-color-scheme: dark) {{\ntext {{ fill: #e4e8ec; }}\n.paper {{ fill: #15191d; }}\n.frame {{ "
        "stroke: #39424a; }}\n.quiet {{ fill: #98a3ad; }}\n.label {{ stroke: #15191d; }}\n.lead {{ stroke: #6b7680; "
        "}}\n");
    for (size_t i = 0; i < kColors.size(); ++i) add(".c{} {{ fill: {}; }}\n", i, kColors[i].dark);
    add("}}\n</style>\n<rect class=\"paper\" width=\"{}\" height=\"{}\"/>\n", options_.width, options_.height);
  }

  void header() {
    top_ = kMargin;
    if (!options_.title.empty()) {
      top_ += 16;
      add("<text x=\"{}\" y=\"{}\" font-size=\"18\" font-weight=\"600\">{}</text>\n", kMargin, top_,
          escaped(options_.title));
      top_ += 6;
    }
    if (!options_.subtitle.empty()) {
      top_ += 15;
      add("<text class=\"quiet\" x=\"{}\" y=\"{}\" font-size=\"12.5\">{}</text>\n", kMargin, top_,
          escaped(options_.subtitle));
      top_ += 4;
    }
    top_ += 6;
  }

  /// In lines from the left, broken at the right margin.
  void legend() {
    if (options_.groups.empty()) return;
    constexpr double kSize = 12.5;
    double x = kMargin;
    top_ += 14;
    for (size_t g = 0; g < options_.groups.size(); ++g) {
      const double width = 18 + kSize * text_width(options_.groups[g]) + 18;
      if (x > kMargin && x + width > options_.width - kMargin) {
        x = kMargin;
        top_ += kLegendStep;
      }
      marker(static_cast<int>(g), x + 6, top_ - 4, 4.5);
      add("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{}\">{}</text>\n", x + 16, top_, kSize,
          escaped(options_.groups[g]));
      x += width;
    }
    top_ += 10;
  }

  Box frame() {
    const double below = options_.x_axis.empty() ? kMargin : kMargin + 16;
    const double left = options_.y_axis.empty() ? kMargin : kMargin + 18;
    const Box area{left, top_, options_.width - kMargin, options_.height - below};
    add("<rect class=\"frame\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" rx=\"3\"/>\n", area.left,
        area.top, area.right - area.left, area.bottom - area.top);
    const double x = (area.left + area.right) / 2, y = (area.top + area.bottom) / 2;
    if (!options_.x_axis.empty()) {
      add("<text class=\"quiet\" x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"12.5\" text-anchor=\"middle\">{}</text>\n", x,
          area.bottom + 19, escaped(options_.x_axis));
    }
    if (!options_.y_axis.empty()) {
      add("<text class=\"quiet\" transform=\"translate({:.1f} {:.1f}) rotate(-90)\" font-size=\"12.5\" "
          "text-anchor=\"middle\">{}</text>\n",
          area.left - 9, y, escaped(options_.y_axis));
    }
    return area;
  }

  [[nodiscard]] std::vector<LabelPlace> places_of(std::span<const ScatterPoint> points, const Scale& scale,
                                                  const Box& area) const {
    std::vector<LabelRequest> requests;
    for (const ScatterPoint& p : points) {
      requests.push_back({scale.x(p.x), scale.y(p.y), kFontSize * text_width(p.label), kLineHeight, radius_});
    }
    return place_labels(requests, {area.left + 3, area.top + 3, area.right - 3, area.bottom - 3});
  }

  void lines(std::span<const ScatterPoint> points, const Scale& scale, const std::vector<LabelPlace>& places) {
    for (size_t i = 0; i < points.size(); ++i) {
      if (!places[i].placed || !places[i].led) continue;
      const double x = scale.x(points[i].x), y = scale.y(points[i].y);
      const Box& box = places[i].box;
      add("<line class=\"lead\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", x, y,
          std::clamp(x, box.left, box.right), std::clamp(y, box.top + 3, box.bottom - 3));
    }
  }

  void dots(std::span<const ScatterPoint> points, const Scale& scale) {
    for (const ScatterPoint& p : points) {
      add("<g><title>{}</title>", escaped(p.label));
      marker(p.group, scale.x(p.x), scale.y(p.y), radius_);
      add("</g>\n");
    }
  }

  void labels(std::span<const ScatterPoint> points, const std::vector<LabelPlace>& places) {
    for (size_t i = 0; i < points.size(); ++i) {
      if (!places[i].placed) continue;
      const Box& box = places[i].box;
      const int side = places[i].side;
      const double x = side == 0 ? (box.left + box.right) / 2 : side > 0 ? box.left : box.right;
      add("<text class=\"label\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, box.bottom - 3.4,
          side == 0  ? "middle"
          : side > 0 ? "start"
                     : "end",
          escaped(points[i].label));
    }
  }

  /// Groups of the same colour differ in shape.
  void marker(int group, double x, double y, double r) {
    const int color = color_of(group);
    const int shape = group < 0 ? 0 : group / static_cast<int>(kColors.size()) % 3;
    if (shape == 1) {
      add("<rect class=\"c{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", color, x - r * 0.9,
          y - r * 0.9, r * 1.8, r * 1.8);
    } else if (shape == 2) {
      add("<path class=\"c{}\" d=\"M{:.1f} {:.1f}l{:.1f} {:.1f}h{:.1f}z\"/>", color, x, y - r * 1.2, r * 1.2, r * 2.1,
          -r * 2.4);
    } else {
      add("<circle class=\"c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>", color, x, y, r);
    }
  }

  const ScatterOptions& options_;
  std::string out_;
  double top_ = 0;
  double radius_ = 3;
};

}  // namespace

std::string scatter_svg(std::span<const ScatterPoint> points, const ScatterOptions& options) {
  return Drawing(options).draw(points);
}

}  // namespace sesame
