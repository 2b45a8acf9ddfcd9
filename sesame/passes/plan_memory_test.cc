#include "sesame/passes/plan_memory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/error.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/simplify.h"
#include "sesame/passes/vjp.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

Type f32(Shape shape) { return {DType::f32, shape}; }

MemoryPlan plan_of(const Graph& graph, int64_t scratch = 0) {
  return plan_memory(graph, [=](const Graph&, const Node& node) { return node.op == Op::matmul ? scratch : 0; });
}

std::string violation_of(const Graph& graph, const MemoryPlan& plan) {
  try {
    check_plan(graph, plan);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

Placement& place(MemoryPlan& plan, Value value) {
  return plan.placements[static_cast<size_t>(value.ref().node)][static_cast<size_t>(value.ref().output)];
}

/// x -> exp -> exp -> ... -> y, each of 1024 floats.
struct Chain {
  Graph graph;
  Builder b{graph};
  std::vector<Value> values;
  explicit Chain(int length) {
    values.push_back(b.input("x", f32({1024})));
    for (int i = 0; i < length; ++i) values.push_back(exp(values.back()));
    b.output("y", values.back());
  }
};

TEST(PlanMemoryTest, AChainOfInPlaceOpsNeedsOneBufferBesideTheInput) {
  const Chain chain(10);
  const MemoryPlan plan = plan_of(chain.graph);
  EXPECT_EQ(plan.arena_bytes, 2 * 4096);
  EXPECT_EQ(plan.lower_bound_bytes, 2 * 4096);
  EXPECT_EQ(violation_of(chain.graph, plan), "none");
}

TEST(PlanMemoryTest, AValueReadLaterIsNotOverwritten) {
  Graph graph;
  Builder b(graph);
  const Value a = exp(b.input("x", f32({1024})));
  const Value c = tanh(a);
  b.output("y", c + a);
  MemoryPlan plan = plan_of(graph);
  EXPECT_NE(place(plan, a).offset, place(plan, c).offset);
  EXPECT_EQ(violation_of(graph, plan), "none");
  place(plan, c).offset = place(plan, a).offset;
  EXPECT_THAT(violation_of(graph, plan), HasSubstr("overwritten before it is read"));
}

TEST(PlanMemoryTest, ScratchMemoryAvoidsWhatIsLive) {
  Graph graph;
  Builder b(graph);
  const Value y = matmul(b.input("x", f32({32, 32})), b.input("w", f32({32, 32})));
  b.output("y", y);
  MemoryPlan plan = plan_of(graph, 1000);
  EXPECT_EQ(plan.arena_bytes, 3 * 4096 + 1024);
  EXPECT_EQ(violation_of(graph, plan), "none");
  plan.workspace_offsets[static_cast<size_t>(y.ref().node)] = place(plan, y).offset;
  EXPECT_THAT(violation_of(graph, plan), HasSubstr("scratch memory over its operands"));
}

TEST(PlanMemoryTest, ViewsShareTheirSource) {
  Graph graph;
  Builder b(graph);
  const Value a = exp(b.input("x", f32({1024})));
  const Value view = reshape(a, {32, 32});
  b.output("y", permute(view, {1, 0}));
  MemoryPlan plan = plan_of(graph);
  EXPECT_EQ(place(plan, view).offset, place(plan, a).offset);
  EXPECT_EQ(violation_of(graph, plan), "none");
  place(plan, view).offset += 64;
  EXPECT_THAT(violation_of(graph, plan), HasSubstr("view that lies elsewhere"));
}

TEST(PlanMemoryTest, AnUpdateIsWrittenStraightIntoItsVariable) {
  Graph graph;
  Builder b(graph);
  const Value w = b.variable("w", f32({1024}));
  const Value next = w + b.input("x", f32({1024}));
  b.update(w, next);
  MemoryPlan plan = plan_of(graph);
  EXPECT_EQ(place(plan, next).where, Placement::Where::variable);
  EXPECT_EQ(place(plan, next).variable, w.ref().node);
  EXPECT_TRUE(plan.copies.empty());
  EXPECT_EQ(violation_of(graph, plan), "none");
}

TEST(PlanMemoryTest, AnUpdateWaitsWhileTheOldValueIsNeeded) {
  Graph graph;
  Builder b(graph);
  const Value w = b.variable("w", f32({1024}));
  const Value next = exp(w);
  b.update(w, next);
  b.output("y", next + w);  // reads the old value after the new one is there
  MemoryPlan plan = plan_of(graph);
  EXPECT_EQ(place(plan, next).where, Placement::Where::arena);
  ASSERT_EQ(plan.copies.size(), 1u);
  EXPECT_EQ(violation_of(graph, plan), "none");
  plan.copies.clear();
  EXPECT_THAT(violation_of(graph, plan), HasSubstr("never reaches the variable"));
}

TEST(PlanMemoryTest, AFreshUpdateMayOverwriteAVariableThatNothingReads) {
  Graph graph;
  Builder b(graph);
  const Value grad = b.variable("grad", f32({8, 8}));
  const Value x = b.input("x", f32({4, 8}));
  const Value product = matmul(x, x, {.transpose_a = true});
  const Value sum = matmul(x, x, {.transpose_a = true, .accumulator = product});
  b.update(grad, sum);
  MemoryPlan plan = plan_of(graph);
  EXPECT_EQ(place(plan, product).where, Placement::Where::variable) << to_string(graph, plan);
  EXPECT_EQ(place(plan, sum).where, Placement::Where::variable);
  EXPECT_EQ(violation_of(graph, plan), "none");
}

TEST(PlanMemoryTest, ExchangingTwoVariablesIsRefused) {
  Graph graph;
  Builder b(graph);
  const Value v = b.variable("v", f32({2}));
  const Value w = b.variable("w", f32({2}));
  b.update(v, w);
  b.update(w, v);
  EXPECT_THROW(plan_of(graph), Error);
}

TEST(PlanMemoryTest, InPlaceWithoutLeaveIsAViolation) {
  Graph graph;
  Builder b(graph);
  const Value x = exp(b.input("x", f32({16, 16})));
  const Value y = permute(x, {1, 0});
  b.output("y", y);
  MemoryPlan plan = plan_of(graph);
  place(plan, y).offset = place(plan, x).offset;
  EXPECT_THAT(violation_of(graph, plan), HasSubstr("without leave"));
}

TEST(PlanMemoryTest, ATrainingStepIsSoundAndCloseToTheLowerBound) {
  Graph graph;
  Builder b(graph);
  const Value ids = b.input("ids", {DType::i32, {2, 16}});
  const Value targets = b.input("targets", {DType::i32, {32}});
  const Value table = b.variable("table", f32({50, 24}));
  std::vector<Value> parameters = {table};
  Value x = embedding(table, ids);
  for (int layer = 0; layer < 4; ++layer) {
    const std::string name = std::to_string(layer);
    parameters.push_back(b.variable("w" + name, f32({24, 72})));
    parameters.push_back(b.variable("p" + name, f32({24, 24})));
    x = x +
        matmul(attention(matmul(x, parameters[parameters.size() - 2]), {.heads = 3, .kv_heads = 3}), parameters.back());
  }
  const Value loss = linear_cross_entropy(reshape(x, {32, 24}), table, targets);
  b.output("loss", loss);
  const auto grads = gradients(b, loss, parameters);
  for (size_t i = 0; i < parameters.size(); ++i) {
    b.update(b.variable("grad" + std::to_string(i), parameters[i].type()), grads[i]);
  }
  const Graph simple = simplify(graph);
  const MemoryPlan plan = plan_of(simple, 4096);
  EXPECT_EQ(violation_of(simple, plan), "none") << to_string(simple, plan);
  EXPECT_TRUE(plan.copies.empty()) << to_string(simple, plan);
  EXPECT_LE(static_cast<double>(plan.arena_bytes), 1.05 * static_cast<double>(plan.lower_bound_bytes));
}

}  // namespace
}  // namespace sesame
