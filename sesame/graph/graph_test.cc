#include "sesame/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "sesame/base/error.h"
#include "sesame/base/error_of.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

Type f32(Shape shape) { return {DType::f32, shape}; }

TEST(GraphTest, PrintsNodesWithTypesAttributesAndScopes) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({4, 3}));
  Value y;
  {
    const Builder::Scope outer(b, "h.0");
    const Builder::Scope inner(b, "mlp");
    y = matmul(x, b.variable("w", f32({5, 3})), {.transpose_b = true});
  }
  b.output("y", exp(y));
  EXPECT_EQ(to_string(graph),
            "%0 = input() {name=x, type=float32 [4, 3]} : float32 [4, 3]\n"
            "%1 = variable() {name=w, type=float32 [5, 3]} : float32 [5, 3]  # h.0.mlp\n"
            "%2 = matmul(%0, %1) {transpose_a=false, transpose_b=true, bias=false, accumulate=false} : float32 [4, 5]"
            "  # h.0.mlp\n"
            "%3 = exp(%2) : float32 [4, 5]\n"
            "output y = %3\n");
  EXPECT_NO_THROW(verify(graph));
}

TEST(GraphTest, ShapeErrorsNameOpShapesScopeAndLine) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({2, 3}));
  const Value w = b.input("w", f32({4, 5}));
  const Builder::Scope scope(b, "h.3.attn");
  const int line = __LINE__ + 1;
  const std::string message = error_of([&] { matmul(x, w); });
  EXPECT_THAT(message, HasSubstr("matmul"));
  EXPECT_THAT(message, HasSubstr("[2, 3]"));
  EXPECT_THAT(message, HasSubstr("[4, 5]"));
  EXPECT_THAT(message, HasSubstr("h.3.attn"));
  EXPECT_THAT(message, HasSubstr("graph_test.cc:" + std::to_string(line)));
}

TEST(GraphTest, RefusesWhatDoesNotBroadcast) {
  Graph graph;
  Builder b(graph);
  const Value x = b.input("x", f32({2, 3}));
  EXPECT_THAT(error_of([&] { add(x, b.input("y", f32({2}))); }), HasSubstr("[2, 3] and [2] do not broadcast"));
  EXPECT_EQ(add(x, b.input("z", f32({2, 1}))).shape(), (Shape{2, 3}));
  EXPECT_THAT(error_of([&] { add(x, b.input("i", {DType::i32, {2, 3}})); }), HasSubstr("one dtype"));
}

TEST(GraphTest, AVariableHasOneType) {
  Graph graph;
  Builder b(graph);
  const Value w = b.variable("w", f32({2}));
  EXPECT_EQ(b.variable("w", f32({2})).ref(), w.ref());
  EXPECT_THAT(error_of([&] { b.variable("w", f32({3})); }), HasSubstr("float32 [2]"));
  EXPECT_THAT(error_of([&] { b.update(w, b.constant(0, f32({3}))); }), HasSubstr("cannot be updated"));
  EXPECT_THAT(error_of([&] { graph.update(b.constant(0, f32({2})).ref().node, w.ref()); }),
              HasSubstr("only a variable"));
}

TEST(GraphTest, ValuesOfAnotherGraphAreRefused) {
  Graph one;
  Graph two;
  Builder a(one);
  Builder b(two);
  const Value x = a.input("x", f32({2}));
  const Value y = b.input("y", f32({2}));
  EXPECT_THAT(error_of([&] { add(x, y); }), HasSubstr("another graph"));
  EXPECT_THAT(error_of([&] { add(x, Value{}); }), HasSubstr("absent"));
}

TEST(GraphTest, VerifyFindsATypeThatTheShapeRuleDoesNotGive) {
  Graph graph;
  graph.append({Op::input, LeafAttributes{"x", f32({2})}, {}, {f32({2})}, "", {}});
  graph.append({Op::neg, NoAttributes{}, {{0, 0}}, {f32({3})}, "", {}});
  EXPECT_THAT(error_of([&] { verify(graph); }), HasSubstr("shape rule"));
}

TEST(GraphTest, VerifyFindsAttributesOfAnotherOp) {
  Graph graph;
  graph.append({Op::input, LeafAttributes{"x", f32({2})}, {}, {f32({2})}, "", {}});
  graph.append({Op::reshape, NoAttributes{}, {{0, 0}}, {f32({2})}, "", {}});
  EXPECT_THAT(error_of([&] { verify(graph); }), HasSubstr("another op's kind"));
}

TEST(ShapeTest, RefusesSizesBelowOneAndTooManyElements) {
  EXPECT_THROW(Shape({2, 0}), Error);
  EXPECT_THROW(Shape({-1}), Error);
  EXPECT_THROW(Shape({int64_t{1} << 40, int64_t{1} << 40}), Error);
  EXPECT_THROW(Shape({1, 1, 1, 1, 1, 1, 1}), Error);
  EXPECT_EQ(Shape({2, 3}).elements(), 6);
  EXPECT_EQ(Shape{}.elements(), 1);
}

TEST(AttributesTest, EveryFieldCountsForIdentity) {
  const Attributes a = MatmulAttributes{};
  for (const Attributes& other :
       {Attributes(MatmulAttributes{.transpose_a = true}), Attributes(MatmulAttributes{.transpose_b = true}),
        Attributes(MatmulAttributes{.bias = true}), Attributes(MatmulAttributes{.accumulate = true})}) {
    EXPECT_NE(a, other);
    EXPECT_NE(hash_of(a), hash_of(other));
    EXPECT_NE(to_string(a), to_string(other));
  }
  EXPECT_NE(hash_of(NormAttributes{1e-5}), hash_of(NormAttributes{1.0000000000000002e-5}));
}

TEST(OpDefTest, EveryOpHasItsBlock) {
  std::set<std::string_view> names;
  for (int i = 0; i < kOpCount; ++i) {
    const OpDef& def = op_def(static_cast<Op>(i));
    EXPECT_FALSE(def.name.empty()) << i;
    EXPECT_FALSE(def.doc.empty()) << def.name;
    EXPECT_NE(def.infer, nullptr) << def.name;
    EXPECT_TRUE(names.insert(def.name).second) << def.name << " twice";
  }
}

TEST(OpDefTest, CostOfAMatrixProduct) {
  Graph graph;
  Builder b(graph);
  const Value y = matmul(b.input("a", f32({4, 8})), b.input("b", f32({8, 16})));
  const Cost cost = cost_of(graph, graph.node(y.ref().node));
  EXPECT_EQ(cost.flops, 2.0 * 4 * 8 * 16);
  EXPECT_EQ(cost.bytes, 4.0 * (4 * 8 + 8 * 16 + 4 * 16));
}

TEST(RandomKeyTest, DependsOnScopeAndOrderWithinItOnly) {
  Graph graph;
  Builder a(graph);
  std::vector<int64_t> keys;
  {
    const Builder::Scope scope(a, "h.0");
    keys = {a.next_random_key(), a.next_random_key()};
  }
  const int64_t elsewhere = a.next_random_key();
  Graph other;
  Builder b(other);
  b.next_random_key();
  const Builder::Scope scope(b, "h.0");
  EXPECT_EQ(b.next_random_key(), keys[0]);
  EXPECT_EQ(b.next_random_key(), keys[1]);
  EXPECT_NE(keys[0], keys[1]);
  EXPECT_NE(keys[0], elsewhere);
}

}  // namespace
}  // namespace sesame
