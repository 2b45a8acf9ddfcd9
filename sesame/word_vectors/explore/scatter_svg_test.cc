#include "sesame/word_vectors/explore/scatter_svg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "sesame/base/error_of.h"
#include "sesame/base/philox.h"
#include "sesame/word_vectors/explore/label_placement.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

size_t count_of(const std::string& text, std::string_view what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

/// Every element that is opened is closed, in order.
bool is_balanced(const std::string& svg) {
  std::vector<std::string> open;
  for (size_t at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const size_t end = svg.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = svg.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find(' '));
    if (tag.front() == '/') {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
  }
  return open.empty();
}

std::vector<ScatterPoint> some_points(size_t count) {
  const Philox random(1, 1);
  std::vector<ScatterPoint> points;
  for (size_t i = 0; i < count; ++i) {
    const auto draw = random.block(i, 0);
    points.push_back(
        {Philox::uniform(draw[0]), Philox::uniform(draw[1]), "word" + std::to_string(i), static_cast<int>(i % 25)});
  }
  return points;
}

TEST(ScatterSvg, EveryPointIsDrawnAndWhatFitsIsLabelled) {
  ScatterOptions options;
  options.title = "Title";
  options.x_axis = "along";
  options.y_axis = "up";
  for (int g = 0; g < 25; ++g) options.groups.push_back("group" + std::to_string(g));
  const std::string svg = scatter_svg(some_points(60), options);
  EXPECT_TRUE(is_balanced(svg));
  EXPECT_EQ(count_of(svg, "<g><title>word"), 60U);
  EXPECT_EQ(count_of(svg, "class=\"label\""), 60U);
  EXPECT_EQ(count_of(svg, ">group"), 25U);
  EXPECT_THAT(svg, HasSubstr(">along</text>"));
  EXPECT_EQ(svg, scatter_svg(some_points(60), options));
  const std::string crowded = scatter_svg(some_points(1000), options);
  EXPECT_EQ(count_of(crowded, "<g><title>word"), 1000U);
  EXPECT_LT(count_of(crowded, "class=\"label\""), 900U);
  EXPECT_GT(count_of(crowded, "class=\"label\""), 150U);
}

/// The values of an attribute, in order.
std::vector<double> values_of(const std::string& svg, const std::string& attribute) {
  std::vector<double> values;
  for (size_t at = svg.find(attribute + "=\""); at != std::string::npos; at = svg.find(attribute + "=\"", at + 1)) {
    values.push_back(std::stod(svg.substr(at + attribute.size() + 2)));
  }
  return values;
}

TEST(ScatterSvg, ScalesAreEqualOrFillTheFrame) {
  const std::vector<ScatterPoint> points = {{0, 0, "a", -1}, {10, 1, "b", -1}};
  ScatterOptions options;
  const std::string equal = scatter_svg(points, options);
  options.equal_scales = false;
  const std::string filling = scatter_svg(points, options);
  const auto x = values_of(equal, "cx"), y = values_of(equal, "cy"), fy = values_of(filling, "cy");
  ASSERT_EQ(x.size(), 2U);
  EXPECT_NEAR((x[1] - x[0]) / (y[0] - y[1]), 10, 0.1);  // y points downwards
  EXPECT_GT(fy[0] - fy[1], 500);
}

TEST(ScatterSvg, TextIsEscaped) {
  ScatterOptions options;
  options.title = "<a> & \"b\"";
  options.groups = {"x<y"};
  const std::vector<ScatterPoint> points = {{0, 0, "</svg>", 0}, {1, 1, "\xFF\x01", 0}, {2, 0, "国王", -1}};
  const std::string svg = scatter_svg(points, options);
  EXPECT_TRUE(is_balanced(svg));
  EXPECT_THAT(svg, HasSubstr("&lt;a&gt; &amp; &quot;b&quot;"));
  EXPECT_THAT(svg, HasSubstr("&lt;/svg&gt;"));
  EXPECT_THAT(svg, HasSubstr("国王"));
  EXPECT_THAT(svg, HasSubstr("\xEF\xBF\xBD\xEF\xBF\xBD"));
  EXPECT_THAT(svg, Not(HasSubstr("\x01")));
}

TEST(ScatterSvg, PointsThatDoNotSpread) {
  const std::vector<ScatterPoint> one = {{5, 5, "a", -1}, {5, 5, "b", -1}};
  const std::string svg = scatter_svg(one, {});
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_TRUE(is_balanced(scatter_svg({}, {})));
  const std::vector<ScatterPoint> nan = {{std::numeric_limits<double>::quiet_NaN(), 0, "lost", -1}};
  EXPECT_THAT(error_of([&] { scatter_svg(nan, {}); }), HasSubstr("\"lost\" lies nowhere"));
}

TEST(LabelPlacement, LabelsOverlapNoOtherAndStayInside) {
  const Box area{0, 0, 500, 400};
  std::vector<LabelRequest> requests;
  for (const ScatterPoint& p : some_points(400)) requests.push_back({500 * p.x, 400 * p.y, 45, 13, 3});
  const std::vector<LabelPlace> places = place_labels(requests, area);
  ASSERT_EQ(places.size(), 400U);
  size_t placed = 0;
  for (size_t i = 0; i < 400; ++i) {
    if (!places[i].placed) continue;
    ++placed;
    EXPECT_TRUE(places[i].box.inside(area));
    for (size_t j = 0; j < i; ++j) {
      EXPECT_FALSE(places[j].placed && places[i].box.overlaps(places[j].box)) << i << " " << j;
    }
  }
  EXPECT_GT(placed, 100U);
}

TEST(LabelPlacement, FreePointsHaveTheirLabelToTheRightAndFirstOnesComeFirst) {
  const Box area{0, 0, 300, 100};
  const std::vector<LabelRequest> apart = {{100, 50, 40, 12, 3}, {200, 50, 40, 12, 3}};
  for (const LabelPlace& place : place_labels(apart, area)) {
    EXPECT_TRUE(place.placed);
    EXPECT_EQ(place.side, 1);
    EXPECT_FALSE(place.led);
  }
  // No room but for one.
  const Box narrow{90, 40, 150, 60};
  const std::vector<LabelRequest> crowd = {{100, 50, 40, 12, 3}, {101, 50, 40, 12, 3}};
  const std::vector<LabelPlace> places = place_labels(crowd, narrow);
  EXPECT_TRUE(places[0].placed);
  EXPECT_FALSE(places[1].placed);
}

TEST(LabelPlacement, APlaceThatHidesNoPointIsBetter) {
  const std::vector<LabelRequest> requests = {{150, 50, 40, 12, 3}, {165, 50, 40, 12, 3}};
  const std::vector<LabelPlace> places = place_labels(requests, {0, 0, 300, 100});
  EXPECT_EQ(places[0].side, -1);
  EXPECT_EQ(places[1].side, 1);
}

TEST(LabelPlacement, WideCharactersAreWide) {
  EXPECT_GT(text_width("国王"), text_width("ab"));
  EXPECT_GT(text_width("WW"), text_width("ii"));
  EXPECT_EQ(text_width(""), 0);
}

}  // namespace
}  // namespace sesame
