#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sesame/base/text_format.h"
#include "sesame/train/memory_curve.h"

namespace sesame {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 420;
constexpr double kLeft = 70;
constexpr double kRight = 24;
constexpr double kTop = 56;
constexpr double kBottom = 64;
constexpr const char* kPlanColor = "#1f5fa8";
constexpr const char* kBoundColor = "#777777";
constexpr const char* kLeastColor = "#b03a2e";

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// The least of 1, 2, 5, 10, 20, ... times `unit` with which `range` takes at most `most` steps.
double tick_step(double range, double unit, int most) {
  double step = unit;
  for (int i = 0; range / step > most; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return step;
}

class Drawing {
 public:
  Drawing(const MemoryCurve& curve, std::string_view title) : curve_(curve) {
    low_ = static_cast<double>(curve.least_budget_bytes);
    high_ = std::max(static_cast<double>(curve.keep_bytes), low_ + 1);
    const double margin = 0.04 * (high_ - low_);
    low_ -= margin;
    high_ += margin;
    for (const MemoryPoint& p : curve.points) top_ = std::max(top_, 100 * std::max(p.overhead, p.lower_bound_overhead));
    top_ *= 1.1;
    open(title);
    axes();
    line(&MemoryPoint::lower_bound_overhead, kBoundColor, "5 4", false);
    line(&MemoryPoint::overhead, kPlanColor, "none", true);
    mark(curve.least_budget_bytes, kLeastColor, "least possible", 0);
    if (curve.free_bytes < curve.keep_bytes) mark(curve.free_bytes, "#2e7d4f", "replays that cost nothing", 1);
    mark(curve.keep_bytes, "#333333", "no replays", 2);
    legend();
    svg_ += "</svg>\n";
  }

  [[nodiscard]] const std::string& svg() const { return svg_; }

 private:
  [[nodiscard]] double x(double bytes) const {
    return kLeft + (bytes - low_) / (high_ - low_) * (kWidth - kLeft - kRight);
  }
  [[nodiscard]] double y(double percent) const {
    return kHeight - kBottom - percent / top_ * (kHeight - kTop - kBottom);
  }

  void segment(double x1, double y1, double x2, double y2, const char* color, const char* dashes = "none") {
    svg_ += fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-dasharray=\"{}\"/>\n", x1,
        y1, x2, y2, color, dashes);
  }

  void text(double at_x, double at_y, const char* anchor, std::string_view content, const char* color = "#333333",
            int size = 12) {
    svg_ += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{}\" fill=\"{}\">{}</text>\n",
                        at_x, at_y, anchor, size, color, escaped(content));
  }

  void open(std::string_view title) {
    svg_ = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
        "{1:.0f}\" "
        "font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        kWidth, kHeight);
    text(kLeft, 24, "start", title, "#111111", 15);
    const double seconds = curve_.points.empty() ? 0 : curve_.points.back().seconds_per_step;
    text(kLeft, 42, "start", fmt::format("{} a step at the largest budget", human_duration(seconds)));
  }

  void axes() {
    const double bottom = y(0);
    segment(kLeft, bottom, kWidth - kRight, bottom, "#333333");
    segment(kLeft, kTop, kLeft, bottom, "#333333");
    const bool large = high_ >= 2.0 * (1 << 30);
    const double unit = large ? 1 << 30 : 1 << 20;
    const double step = tick_step(high_ - low_, large ? unit / 10 : unit, 7);
    for (double at = std::ceil(low_ / step) * step; at <= high_; at += step) {
      segment(x(at), bottom, x(at), bottom + 5, "#333333");
      text(x(at), bottom + 19, "middle", fmt::format("{:.{}f}", at / unit, large && step < unit ? 1 : 0));
    }
    text((kLeft + kWidth - kRight) / 2, kHeight - 22, "middle",
         fmt::format("memory of a step, parameters, gradients and moments included ({})", large ? "GiB" : "MiB"));
    const double rise = tick_step(top_, 0.1, 6);
    for (double at = 0; at <= top_; at += rise) {
      segment(kLeft - 5, y(at), kLeft, y(at), "#333333");
      if (at > 0) segment(kLeft, y(at), kWidth - kRight, y(at), "#e6e6e6");
      text(kLeft - 9, y(at) + 4, "end", fmt::format("{:.{}f} %", at, rise < 1 ? 1 : 0));
    }
    svg_ += fmt::format(
        "<text transform=\"translate(16 {:.1f}) rotate(-90)\" text-anchor=\"middle\" font-size=\"12\" "
        "fill=\"#333333\">time spent on computing again</text>\n",
        (kTop + bottom) / 2);
  }

  void line(double MemoryPoint::*overhead, const char* color, const char* dashes, bool dots) {
    std::string points, circles;
    for (const MemoryPoint& p : curve_.points) {
      const double at_x = x(static_cast<double>(p.budget_bytes));
      const double at_y = y(100 * p.*overhead);
      points += fmt::format("{:.1f},{:.1f} ", at_x, at_y);
      if (dots)
        circles += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>\n", at_x, at_y, color);
    }
    svg_ += fmt::format(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\" stroke-dasharray=\"{}\"/>\n{}",
        points, color, dashes, circles);
  }

  /// A vertical line at a budget, named at height number `row`.
  void mark(int64_t bytes, const char* color, const char* name, int row) {
    const double at = x(static_cast<double>(bytes));
    segment(at, kTop, at, y(0), color, "2 3");
    const bool right_half = at > kWidth / 2;
    text(at + (right_half ? -5 : 5), kTop + 12 + 16 * row, right_half ? "end" : "start",
         fmt::format("{}: {}", name, human_bytes(static_cast<uint64_t>(bytes))), color);
  }

  void legend() {
    const double at = kTop + 70;
    const double left = kWidth - kRight - 190;
    segment(left, at, left + 28, at, kPlanColor);
    text(left + 34, at + 4, "start", "planned");
    segment(left, at + 18, left + 28, at + 18, kBoundColor, "5 4");
    text(left + 34, at + 22, "start", "no plan can be below this");
  }

  const MemoryCurve& curve_;
  std::string svg_;
  double low_ = 0;
  double high_ = 0;
  double top_ = 1;  // percent
};

}  // namespace

std::string to_svg(const MemoryCurve& curve, std::string_view title) { return Drawing(curve, title).svg(); }

}  // namespace sesame
