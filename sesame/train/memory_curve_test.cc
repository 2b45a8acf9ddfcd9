#include "sesame/train/memory_curve.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace sesame {
namespace {

using ::testing::HasSubstr;

RematReport::Activation activation(std::string name, int64_t bytes, int replays = 0) {
  return {.name = std::move(name),
          .bytes = bytes,
          .kept = replays == 0,
          .replays = replays,
          .replay_seconds = 0.5 * replays};
}

TEST(SavedRows, EqualLayersAreOneRow) {
  RematReport report;
  report.activations = {activation("wte: embedding [8]", 32),    activation("h.0.attn: matmul [8]", 32),
                        activation("h.0.mlp: gelu [16]", 64, 1), activation("h.1.attn: matmul [8]", 32),
                        activation("h.1.mlp: gelu [16]", 64, 1), activation("h.2.attn: matmul [8]", 32, 2),
                        activation("h.3.attn: matmul [8]", 32),  activation("h.10.attn: matmul [8]", 16)};
  const std::vector<SavedRow> rows = saved_rows(report);
  std::vector<std::string> names;
  int64_t bytes = 0;
  for (const SavedRow& row : rows) {
    names.push_back(row.name);
    bytes += row.count * row.bytes;
  }
  EXPECT_THAT(names, ::testing::ElementsAre("wte: embedding [8]", "h.0-1,3.attn: matmul [8]", "h.0-1.mlp: gelu [16]",
                                            "h.2.attn: matmul [8]", "h.10.attn: matmul [8]"));
  EXPECT_EQ(bytes, 32 + 4 * 32 + 2 * 64 + 16);
  EXPECT_EQ(rows[1].count, 3);
  EXPECT_TRUE(rows[1].kept);
  EXPECT_EQ(rows[2].replays, 1);
  EXPECT_DOUBLE_EQ(rows[2].replay_seconds, 1);
  EXPECT_FALSE(rows[3].kept);
}

TEST(SavedRows, NumbersOutsideTheScopeDoNotGroup) {
  RematReport report;
  report.activations = {activation("head: slice [4.2]", 8), activation("head: slice [5.2]", 8),
                        activation("h.99999999999999999999: x", 8), activation("", 8)};
  EXPECT_EQ(saved_rows(report).size(), 4u);
}

MemoryCurve some_curve() {
  MemoryCurve curve{.points = {}, .least_budget_bytes = 100 << 20, .free_bytes = 300 << 20, .keep_bytes = 400 << 20};
  for (int64_t i = 0; i < 4; ++i)
    curve.points.push_back(
        {.budget_bytes = (100 + 100 * i) << 20, .seconds_per_step = 2, .overhead = 0.3 - 0.1 * static_cast<double>(i)});
  return curve;
}

int64_t count(const std::string& text, std::string_view word) {
  int64_t n = 0;
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
  return n;
}

TEST(MemoryCurveSvg, DrawsEveryPointAndNamesTheBudgets) {
  const std::string svg = to_svg(some_curve(), "a < b & c");
  EXPECT_EQ(count(svg, "<circle"), 4);
  EXPECT_EQ(count(svg, "<polyline"), 2);
  EXPECT_EQ(count(svg, "<text"), count(svg, "</text>"));
  for (const char* text :
       {"a &lt; b &amp; c", "least possible: 100 MiB", "no replays: 400 MiB", "300 MiB", "MiB)", "10 %"})
    EXPECT_THAT(svg, HasSubstr(text));
  EXPECT_THAT(svg, ::testing::EndsWith("</svg>\n"));
}

TEST(MemoryCurveSvg, DoesWithoutAnyRange) {
  MemoryCurve flat = some_curve();
  flat.least_budget_bytes = flat.keep_bytes = flat.free_bytes;
  for (MemoryPoint& p : flat.points) p.budget_bytes = flat.free_bytes, p.overhead = 0;
  for (const MemoryCurve& curve : {flat, MemoryCurve{}}) {
    const std::string svg = to_svg(curve, "flat");
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
    EXPECT_LT(svg.size(), 20000u);
  }
}

}  // namespace
}  // namespace sesame
