#include "sesame/analyze/cost_table.h"

#include <gtest/gtest.h>

#include "sesame/analyze/flops.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

TEST(CostByScope, GroupsByTheFirstPartsAndSumsToTheWhole) {
  Graph graph;
  Builder b(graph);
  Value x = b.input("x", {DType::f32, {4, 8}});
  for (const char* layer : {"0", "1"}) {
    Builder::Scope block(b, "h");
    Builder::Scope number(b, layer);
    for (const char* part : {"attn", "mlp"}) {
      Builder::Scope scope(b, part);
      x = matmul(x, b.variable(b.scope() + ".w", {DType::f32, {8, 8}}));
    }
  }
  const std::vector<ScopeCost> by_layer = cost_by_scope(graph, 2);
  ASSERT_EQ(by_layer.size(), 3u);
  EXPECT_EQ(by_layer[0].scope, "");
  EXPECT_EQ(by_layer[1].scope, "h.0");
  EXPECT_EQ(by_layer[2].scope, "h.1");
  EXPECT_EQ(by_layer[1].parameters, 2 * 8 * 8);
  EXPECT_EQ(by_layer[1].nodes, 2);
  EXPECT_EQ(by_layer[1].model_flops, 2 * 2.0 * 4 * 8 * 8);
  EXPECT_EQ(by_layer[1].output_bytes, 2 * 4 * 8 * 4);
  EXPECT_EQ(cost_by_scope(graph, 3).size(), 5u);
  EXPECT_EQ(cost_by_scope(graph, 0).size(), 1u);
  double sum = 0;
  for (const ScopeCost& row : by_layer) sum += row.model_flops;
  EXPECT_EQ(sum, model_flops(graph));
}

}  // namespace
}  // namespace sesame
