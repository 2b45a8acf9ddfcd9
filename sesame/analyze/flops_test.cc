#include "sesame/analyze/flops.h"

#include <gtest/gtest.h>

#include "sesame/graph/ops/ops.h"
#include "sesame/passes/vjp.h"

namespace sesame {
namespace {

Value leaf(Builder& b, const char* name, Shape shape) { return b.variable(name, {DType::f32, shape}); }

TEST(ModelFlops, ProductCountsTwoPerMultiplyAdd) {
  Graph graph;
  Builder b(graph);
  matmul(leaf(b, "x", {5, 4, 8}), leaf(b, "w", {8, 16}));
  EXPECT_EQ(model_flops(graph), 2.0 * 5 * 4 * 8 * 16);
}

TEST(ModelFlops, TransposedOperandsCountTheSame) {
  Graph graph;
  Builder b(graph);
  matmul(leaf(b, "x", {8, 4}), leaf(b, "w", {16, 8}), {.transpose_a = true, .transpose_b = true});
  EXPECT_EQ(model_flops(graph), 2.0 * 4 * 8 * 16);
}

TEST(ModelFlops, CausalAttentionCountsHalf) {
  const auto flops = [](bool causal, int64_t kv_heads) {
    Graph graph;
    Builder b(graph);
    attention(leaf(b, "qkv", {2, 10, (4 + 2 * kv_heads) * 8}), {.heads = 4, .kv_heads = kv_heads, .causal = causal});
    return model_flops(graph);
  };
  EXPECT_EQ(flops(false, 4), 2 * 2.0 * 2 * 10 * 10 * 32);
  EXPECT_EQ(flops(true, 4), flops(false, 4) / 2);
  EXPECT_EQ(flops(true, 1), flops(true, 4));  // shared keys are multiplied no less often
}

TEST(ModelFlops, ElementwiseWorkCountsNothing) {
  Graph graph;
  Builder b(graph);
  gelu(leaf(b, "x", {100, 100}));
  EXPECT_EQ(model_flops(graph), 0);
}

TEST(ModelFlops, BackwardCountsTwiceForward) {
  Graph graph;
  Builder b(graph);
  const Value x = leaf(b, "x", {2, 6, 24});
  const Value qkv_weight = leaf(b, "qkv", {24, 72});
  const Value head = leaf(b, "head", {50, 24});
  const Value mixed = attention(matmul(x, qkv_weight), {.heads = 3, .kv_heads = 3});
  const Value loss = linear_cross_entropy(reshape(mixed, {12, 24}), head, b.input("targets", {DType::i32, {12}}));
  const double forward = model_flops(graph);
  EXPECT_EQ(forward, 2.0 * 12 * 24 * 72 + 2.0 * 2 * 6 * 6 * 24 + 2.0 * 12 * 24 * 50);
  const std::vector<Value> leaves{x, qkv_weight, head};
  gradients(b, loss, leaves);
  EXPECT_EQ(model_flops(graph), 3 * forward);
}

TEST(FlopsText, HasThreeDigitsAndAUnit) {
  EXPECT_EQ(flops_text(950), "950 FLOP");
  EXPECT_EQ(flops_text(13.64e6), "13.6 MFLOP");
  EXPECT_EQ(flops_text(999.9e6), "1.00 GFLOP");
  EXPECT_EQ(flops_text(265e9), "265 GFLOP");
}

TEST(RuleOfThumb, IsSixTimesParametersPlusFullAttention) {
  EXPECT_EQ(rule_of_thumb_flops(1000, 2, 64, 32), 6000.0 + 12 * 2 * 64 * 32);
}

}  // namespace
}  // namespace sesame
