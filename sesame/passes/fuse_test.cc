#include "sesame/passes/fuse.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "sesame/graph/ops/ops.h"

namespace sesame {
namespace {

using testing::HasSubstr;

constexpr DType kFloat = DType::f32;

/// The fused graph, verified, without the lines of its inputs.
std::string fused_text(const Graph& graph) {
  const Graph result = fuse(graph);
  verify(result);
  std::istringstream lines(to_string(result));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (line.find(" = input(") == std::string::npos) text += line + "\n";
  }
  return text;
}

int count(const Graph& graph, Op op) {
  int found = 0;
  for (NodeId id = 0; id < graph.size(); ++id) found += graph.node(id).op == op ? 1 : 0;
  return found;
}

class FuseTest : public testing::Test {
 protected:
  Value input(const std::string& name, const Shape& shape, DType dtype = kFloat) {
    return builder_.input(name, {dtype, shape});
  }
  /// A product: what elementwise ops cannot be fused with.
  static Value product(Value x) { return matmul(x, x, {.transpose_b = true}); }

  Graph graph_;
  Builder builder_{graph_};
};

TEST_F(FuseTest, DropoutAndResidualAreOneNode) {
  const Value x = input("x", {4, 8}), h = input("h", {4, 8});
  const Value dropped = builder_.append_one(Op::dropout, DropoutAttributes{0.5, 7}, {h}, Where::current());
  builder_.output("y", x + dropped);
  EXPECT_EQ(fused_text(graph_),
            "%2 = fused(%1, %0) {shape=[4, 8], instructions=[dropout(0, rate=0.5, key=7) add(1, 2)], results=[3], "
            "axes=[]} : float32 [4, 8]\noutput y = %2\n");
}

TEST_F(FuseTest, NumbersBecomePartOfTheListAndBroadcastsAreImplied) {
  const Value x = input("x", {4, 8}), row = input("row", {8});
  const Value wide = scale(x * broadcast_to(row, {4, 8}), 0.5);
  builder_.output("y", wide + scale(x, 0.5));
  EXPECT_EQ(fused_text(graph_),
            "%2 = fused(%1, %0) {shape=[4, 8], instructions=[mul(1, 0) constant(0.5) mul(2, 3) mul(1, 3) add(4, 5)], "
            "results=[6], axes=[]} : float32 [4, 8]\noutput y = %2\n");
}

TEST_F(FuseTest, WhatIsReadOutsideIsAResult) {
  const Value a = input("a", {4, 8}), b = input("b", {4, 8});
  const Value sum = a + b;
  const Value twice = tanh(sum) * sum;
  builder_.output("p", product(twice));
  builder_.output("q", product(sum));
  EXPECT_THAT(
      fused_text(graph_),
      HasSubstr("instructions=[add(0, 1) tanh(2) mul(3, 2)], results=[2 4], axes=[]} : float32 [4, 8], float32"));
}

TEST_F(FuseTest, ReductionsRiseToWhatTheyReduce) {
  const Value a = input("a", {2, 3, 8}), b = input("b", {2, 3, 8});
  const Value sum = a + b;
  builder_.output("p", product(sum));  // stands before the reductions, and reads what they reduce
  builder_.output("rows", reshape(reduce_sum(sum, {0, 1}), {8}));
  builder_.output("largest", reduce_max(reshape(sum, {6, 8}), {0}));
  EXPECT_EQ(fused_text(graph_),
            "%2 = fused(%0, %1) {shape=[2, 3, 8], instructions=[add(0, 1)], results=[2 sum(2) max(2)], axes=[0, 1]} : "
            "float32 [2, 3, 8], float32 [1, 1, 8], float32 [1, 1, 8]\n"
            "%3 = reshape(%2.2) {shape=[1, 8]} : float32 [1, 8]\n"
            "%4 = matmul(%2.0, %2.0) {transpose_a=false, transpose_b=true, bias=false, accumulate=false} : float32 [2, "
            "3, 3]\n"
            "%5 = reshape(%2.1) {shape=[8]} : float32 [8]\n"
            "output p = %4\noutput rows = %5\noutput largest = %3\n");
}

TEST_F(FuseTest, WhatOnlyAReductionReadsIsNeverWritten) {
  const Value x = input("x", {4, 8});
  builder_.output("y", reduce_sum(reshape(x * x, {2, 2, 8}), {2}));
  EXPECT_EQ(fused_text(graph_),
            "%1 = fused(%0) {shape=[4, 8], instructions=[mul(0, 0)], results=[sum(1)], axes=[1]} : float32 [4, 1]\n"
            "%2 = reshape(%1) {shape=[2, 2, 1]} : float32 [2, 2, 1]\noutput y = %2\n");
}

TEST_F(FuseTest, ReductionsThatAreNoRunOfAxesStay) {
  const Value x = input("x", {4, 8});
  builder_.output("y", reduce_sum(reshape(x * x, {2, 16}), {1}));
  EXPECT_EQ(to_string(fuse(graph_)), to_string(graph_));
}

TEST_F(FuseTest, ReductionsInTheMiddleOrOverOtherAxesStay) {
  const Value x = input("x", {4, 5, 6});
  const Value y = x * x;
  builder_.output("last", reduce_sum(y, {2}));
  builder_.output("middle", reduce_sum(y, {1}));
  builder_.output("first", reduce_sum(y, {0}));
  const Graph result = fuse(graph_);
  EXPECT_EQ(count(result, Op::fused), 1);
  EXPECT_EQ(count(result, Op::reduce_sum), 2);
}

/// The sizes would fit the first axis, too.
TEST_F(FuseTest, AReductionInTheMiddleIsNotTakenForAnother) {
  const Value x = input("x", {2, 2, 2});
  builder_.output("y", reduce_sum(x * x, {1}));
  EXPECT_EQ(to_string(fuse(graph_)), to_string(graph_));
}

TEST_F(FuseTest, OneOpStaysItself) {
  const Value x = input("x", {4, 8});
  builder_.output("y", product(exp(x)));
  EXPECT_EQ(to_string(fuse(graph_)), to_string(graph_));
}

TEST_F(FuseTest, OtherShapesAndDtypesStayApart) {
  const Value x = input("x", {4, 8}), column = input("column", {4, 1});
  const Value ids = input("ids", {4, 8}, DType::i32);
  builder_.output("narrow", x * exp(neg(column)));  // exp of [4, 1] is not computed eight times
  builder_.output("whole", cast(ids + ids, kFloat) * x);
  builder_.output("double", exp(cast(neg(x), DType::f64)));
  const std::string text = fused_text(graph_);
  EXPECT_THAT(text, HasSubstr("instructions=[neg(0) exp(1)], results=[2], axes=[]} : float32 [4, 1]"));
  EXPECT_THAT(text, HasSubstr("add(%2, %2) : int32 [4, 8]"));
  EXPECT_THAT(text, HasSubstr("instructions=[cast(0) mul(2, 1)]"));
  EXPECT_EQ(count(fuse(graph_), Op::cast), 1);
  EXPECT_EQ(count(fuse(graph_), Op::fused), 2);
}

/// What the outputs are made of is not joined with what only updates need, even where nothing else forbids it.
TEST_F(FuseTest, ForwardAndBackwardPartsStayApart) {
  const Value x = input("x", {4, 8}), gradient = input("gradient", {4, 8});
  const Value a = neg(x);
  const Value update = gradient * a;
  const Value y = product(a);
  builder_.output("y", y);
  Graph all_forward = graph_;
  builder_.update(builder_.variable("w", {kFloat, {4, 8}}), update);
  EXPECT_EQ(count(fuse(graph_), Op::fused), 0) << to_string(fuse(graph_));
  all_forward.output("update", update.ref());
  EXPECT_EQ(count(fuse(all_forward), Op::fused), 1) << to_string(fuse(all_forward));
}

/// a and b would be kept over the product in the middle, where now only their sum is.
TEST_F(FuseTest, NothingMoreIsKeptAlive) {
  const auto build = [](Graph& graph, bool product_between) {
    Builder builder(graph);
    const Value x = builder.input("x", {kFloat, {8, 8}});
    const Value a = product(x), b = matmul(a, x);
    const Value sum = a + b;
    const Value c = product_between ? product(x * x) : x;
    builder.output("y", sum * c);
  };
  Graph far, near;
  build(far, true);
  EXPECT_EQ(count(fuse(far), Op::fused), 0) << to_string(fuse(far));
  build(near, false);
  EXPECT_EQ(count(fuse(near), Op::fused), 1) << to_string(fuse(near));
}

/// Members of the group itself, and numbers, are nothing in between.
TEST_F(FuseTest, AWholeTreeIsOneNode) {
  const Value x = input("x", {4, 8}), bias = input("bias", {8});
  builder_.output("y", gelu_erf(x + bias));
  const Graph result = fuse(graph_);
  EXPECT_EQ(result.size(), 3) << to_string(result);
}

/// Alone, the operand of neg takes no more room than its result; and x, an input, is there anyway.
TEST_F(FuseTest, WhatCostsNoMemoryIsJoinedOverOtherNodes) {
  const Value x = input("x", {8, 8});
  const Value a = neg(product(x) + x);
  const Value c = product(x * x);
  builder_.output("y", a * c);
  EXPECT_THAT(fused_text(graph_), HasSubstr("instructions=[add(0, 1) neg(3) mul(4, 2)]"));
}

TEST_F(FuseTest, AReaderBeforeTheLastKeepsANodeWhereItIs) {
  const Value x = input("x", {8, 8});
  const Value a = x * x;
  const Value c = product(a);
  builder_.output("y", a * c);  // a is needed for c, so it cannot be computed here
  EXPECT_EQ(count(fuse(graph_), Op::fused), 0);
}

TEST_F(FuseTest, OldValuesOfVariablesAreReadInTime) {
  const Value x = input("x", {8, 8});
  const Value moment = builder_.variable("m", {kFloat, {8, 8}});
  const Value old = neg(moment);
  const Value updated = product(x) + moment;  // may be written over m
  builder_.update(moment, updated);
  builder_.output("y", old * product(updated));
  const Graph result = fuse(graph_);
  EXPECT_EQ(count(result, Op::neg), 1) << to_string(result);
}

TEST_F(FuseTest, LongChainsAreCutAtTheLimits) {
  Value y = input("x0", {8});
  for (int i = 1; i < 60; ++i) y = y + input(fmt::format("x{}", i), {8});
  builder_.output("y", y);
  const Graph result = fuse(graph_);
  verify(result);
  EXPECT_EQ(count(result, Op::add), 0);
  EXPECT_EQ(count(result, Op::fused), 4);  // 15 additions of 16 operands each
}

TEST_F(FuseTest, TheScopeIsThatOfTheLastNode) {
  const Value x = input("x", {8});
  const Builder::Scope scope(builder_, "h.3");
  builder_.output("y", neg(exp(x)));
  EXPECT_THAT(fused_text(graph_), HasSubstr("# h.3"));
}

TEST_F(FuseTest, AFusedGraphStaysAsItIs) {
  const Value x = input("x", {4, 8});
  builder_.output("y", neg(exp(x)) + x);
  const Graph once = fuse(graph_);
  EXPECT_EQ(to_string(fuse(once)), to_string(once));
}

}  // namespace
}  // namespace sesame
