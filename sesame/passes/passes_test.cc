#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/lower.h"
#include "sesame/passes/simplify.h"
#include "sesame/passes/vjp.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

Type f32(Shape shape) { return {DType::f32, shape}; }

int count(const Graph& graph, Op op) {
  int found = 0;
  for (NodeId id = 0; id < graph.size(); ++id) found += graph.node(id).op == op ? 1 : 0;
  return found;
}

TEST(GradientsTest, OfAProductAreTheOtherFactors) {
  Graph graph;
  Builder b(graph);
  const Value x = b.variable("x", f32({}));
  const Value y = b.variable("y", f32({}));
  const Value loss = x * y;
  const std::vector<Value> wrt = {x, y};
  const auto grads = gradients(b, loss, wrt);
  b.output("dx", grads[0]);
  b.output("dy", grads[1]);
  const Graph simple = simplify(graph);
  EXPECT_EQ(to_string(simple),
            "%0 = variable() {name=x, type=float32 []} : float32 []\n"
            "%1 = variable() {name=y, type=float32 []} : float32 []\n"
            "output dx = %1\n"
            "output dy = %0\n");
}

TEST(GradientsTest, AreSummedToTheShapeOfABroadcastOperand) {
  Graph graph;
  Builder b(graph);
  const Value x = b.variable("x", f32({4, 3}));
  const Value row = b.variable("row", f32({3}));
  const Value column = b.variable("column", f32({4, 1}));
  const Value scalar = b.variable("scalar", f32({}));
  const Value loss = reshape(reduce_sum(x * row + column * scalar), Shape{});
  const std::vector<Value> wrt = {x, row, column, scalar};
  const auto grads = gradients(b, loss, wrt);
  for (size_t i = 0; i < wrt.size(); ++i) EXPECT_EQ(grads[i].shape(), wrt[i].shape()) << i;
  EXPECT_NO_THROW(verify(graph));
}

TEST(GradientsTest, BuildOnlyWhatIsAskedFor) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({8, 4}));
  const Value frozen = b.variable("frozen", f32({4, 4}));
  const Value head = b.variable("head", f32({4, 2}));
  const Value loss = reshape(reduce_sum(matmul(tanh(matmul(x, frozen)), head)), Shape{});
  const std::vector<Value> wrt = {head};
  const auto grads = gradients(b, loss, wrt);
  b.output("dhead", grads[0]);
  EXPECT_EQ(count(graph, Op::matmul), 3);  // two forward, one for head; none reaches the frozen layer
}

TEST(GradientsTest, OfWhatTheLossDoesNotDependOnAreZero) {
  Graph graph;
  Builder b(graph);
  const Value x = b.variable("x", f32({}));
  const Value other = b.variable("other", f32({2}));
  const std::vector<Value> wrt = {other};
  const auto grads = gradients(b, x * x, wrt);
  EXPECT_EQ(graph.node(grads[0].ref().node).op, Op::constant);
  EXPECT_EQ(grads[0].shape(), Shape{2});
}

TEST(GradientsTest, RefuseWhatTheyWouldGetWrong) {
  Graph graph;
  Builder b(graph);
  const Value qkv = b.variable("qkv", f32({1, 2, 3}));
  const std::vector<Value> in = {qkv};
  const auto attended = b.append(Op::attention, AttentionAttributes{}, in, std::source_location::current());
  // The log-sum-exp is kept for the backward pass; a gradient through it as well would be lost.
  const Value loss = reshape(reduce_sum(attended[0]), Shape{}) + reshape(reduce_sum(attended[1]), Shape{});
  EXPECT_THAT([&] { gradients(b, loss, in); }, ThrowsMessage<Error>(HasSubstr("an output that has none")));

  const Value inner = scale(qkv, 2);
  const std::vector<Value> wrt = {inner};
  const std::vector<Value> accumulators = {b.variable("sum", f32({1, 2, 3}))};
  EXPECT_THAT([&] { gradients(b, reshape(reduce_sum(inner), Shape{}), wrt, 1.0, accumulators); },
              ThrowsMessage<Error>(HasSubstr("not a leaf")));
}

TEST(GradientsTest, RefuseANonScalarLossAndAnOpWithoutGradient) {
  Graph graph;
  Builder b(graph);
  const Value x = b.variable("x", f32({2}));
  const std::vector<Value> wrt = {x};
  EXPECT_THROW(gradients(b, x, wrt), Error);
  const Value norm = cast(sum_squares(x), DType::f32);
  try {
    gradients(b, norm, wrt);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("sum_squares: has no gradient"));
  }
}

TEST(SimplifyTest, MergesEqualNodesButNotDifferentDropouts) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({4}));
  b.output("y", exp(x) + exp(x));
  b.output("z", dropout(x, 0.5) + dropout(x, 0.5));
  const Graph simple = simplify(graph);
  EXPECT_EQ(count(simple, Op::exp), 1);
  EXPECT_EQ(count(simple, Op::dropout), 2);
}

TEST(SimplifyTest, DropsTheDeadAndKeepsInputs) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({4}));
  b.input("unused", f32({4}));
  exp(x);
  b.output("y", offset(scale(x, 1.0), 0.0));
  const Graph simple = simplify(graph);
  EXPECT_EQ(count(simple, Op::exp), 0);
  EXPECT_EQ(count(simple, Op::mul) + count(simple, Op::add), 0);
  EXPECT_GE(simple.find_leaf("unused"), 0);
}

TEST(SimplifyTest, WritesResidualSumsAsAccumulatingProducts) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({4, 3}));
  const Value w = b.variable("w", f32({3, 3}));
  b.output("y", x + matmul(x, w));
  const Graph simple = simplify(graph);
  EXPECT_EQ(count(simple, Op::add), 0);
  EXPECT_THAT(to_string(simple), HasSubstr("matmul(%0, %1, %0)"));
}

TEST(SimplifyTest, KeepsASumWhoseProductIsReadElsewhere) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({4, 3}));
  const Value product = matmul(x, b.variable("w", f32({3, 3})));
  b.output("y", x + product);
  b.output("product", product);
  EXPECT_EQ(count(simplify(graph), Op::add), 1);
}

Graph tied_step(bool accumulate) {
  Graph graph;
  Builder b(graph);
  const Value ids = b.input("ids", {DType::i32, {6}});
  const Value targets = b.input("targets", {DType::i32, {6}});
  const Value table = b.variable("table", f32({11, 4}));
  const Value sum = b.variable("grad/table", f32({11, 4}));
  const Value loss = linear_cross_entropy(tanh(embedding(table, ids)), table, targets);
  b.output("loss", loss);
  const std::vector<Value> wrt = {table};
  const std::vector<Value> sums = {sum};
  const auto grads = gradients(b, loss, wrt, 0.5, accumulate ? std::span<const Value>(sums) : std::span<const Value>());
  b.update(sum, grads[0]);
  return graph;
}

TEST(SimplifyTest, JoinsCrossEntropyWithItsGradientAndTheEmbeddingOfATiedTable) {
  for (const bool accumulate : {false, true}) {
    const Graph simple = simplify(tied_step(accumulate));
    verify(simple);
    EXPECT_EQ(count(simple, Op::linear_cross_entropy), 0);
    EXPECT_EQ(count(simple, Op::linear_cross_entropy_grad), 0);
    EXPECT_EQ(count(simple, Op::linear_cross_entropy_step), 1) << to_string(simple);
    EXPECT_EQ(count(simple, Op::embedding_grad), 1);
    // Every sum of gradients happens inside a product (the one add left belongs to the derivative of tanh).
    EXPECT_EQ(count(simple, Op::add), 1) << to_string(simple);
    EXPECT_THAT(to_string(simple), HasSubstr("scale=0.5"));
    EXPECT_THAT(to_string(simple),
                HasSubstr(accumulate ? "scale=0.5, accumulate=true" : "scale=0.5, accumulate=false"));
  }
}

TEST(LowerTest, ReplacesFusedOpsUntilOnlyPrimitivesAreLeft) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({2, 5, 12}));
  b.output("y", attention(x, {.heads = 2, .kv_heads = 1, .dropout = 0.1}));
  const Graph low = lower(graph, [](const Graph&, const Node& node) { return op_def(node.op).decompose == nullptr; });
  verify(low);
  EXPECT_EQ(count(low, Op::attention), 0);
  EXPECT_EQ(count(low, Op::matmul), 2);
  EXPECT_EQ(count(low, Op::dropout), 1);
}

TEST(LowerTest, NamesAPrimitiveThatNothingServes) {
  Graph graph;
  Builder b(graph);
  b.output("y", exp(b.input("x", f32({2}))));
  try {
    lower(graph, [](const Graph&, const Node&) { return false; });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("exp of float32 [2]"));
  }
}

}  // namespace
}  // namespace sesame
