#include "sesame/passes/remat.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "sesame/base/error_of.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/passes/simplify.h"
#include "sesame/passes/vjp.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr auto seconds_of = [](const Graph& graph, const Node& node) {
  const Cost cost = cost_of(graph, node);
  return std::max(cost.flops / 100e9, cost.bytes / 10e9);
};
constexpr auto no_workspace = [](const Graph&, const Node&) -> int64_t { return 0; };

RematResult rematerialised(const Graph& graph, const RematOptions& options) {
  return rematerialise(graph, options, {.seconds = seconds_of, .workspace = no_workspace});
}

int64_t arena_of(const Graph& graph) {
  const MemoryPlan plan = plan_memory(graph, no_workspace);
  check_plan(graph, plan);
  return plan.arena_bytes;
}

Type f32(Shape shape) { return {DType::f32, shape}; }

constexpr int64_t kRows = 256;
constexpr int64_t kWidth = 64;
constexpr int64_t kBytes = kRows * kWidth * 4;  // of one value of the residual stream

/// A network of residual blocks over rows [kRows, kWidth], its loss and its gradients in variables.
class Network {
 public:
  Value input() { return b_.input("x", f32({kRows, kWidth})); }

  Value parameter(const std::string& name, Shape shape) {
    parameters_.push_back(b_.variable(name, f32(shape)));
    return parameters_.back();
  }

  Value linear(const std::string& name, Value x, int64_t out) {
    return matmul(x, parameter(name, {x.shape()[1], out}));
  }

  Value norm(const std::string& name, Value x) {
    return layer_norm(x, parameter(name + ".gain", {kWidth}), parameter(name + ".bias", {kWidth}), 1e-5);
  }

  /// x + W2 gelu(W1 norm(x)): of what is inside, the product of W1 alone is worth keeping.
  Value block(const std::string& name, Value x) {
    const Value h = linear(name + ".up", norm(name, x), 4 * kWidth);
    const Value a = bias_gelu(h, parameter(name + ".up_bias", {4 * kWidth}));
    return x + dropout(linear(name + ".down", a, kWidth), 0.1);
  }

  /// x + W norm(x) as a function of another value, too: what an encoder's output is to a decoder.
  Value cross_block(const std::string& name, Value x, Value memory) {
    return x + linear(name + ".cross", tanh(norm(name, x) * linear(name + ".memory", memory, kWidth)), kWidth);
  }

  Graph gradient_graph(Value y) {
    const Value loss = reshape(reduce_sum(y * y), Shape{});
    b_.output("loss", loss);
    std::vector<Value> sums;
    for (const Value& p : parameters_) {
      const Node& leaf = graph_.node(p.ref().node);
      sums.push_back(b_.variable("grad/" + leaf.attributes_as<LeafAttributes>().name, p.type()));
    }
    const auto grads = gradients(b_, loss, parameters_);
    for (size_t i = 0; i < grads.size(); ++i) b_.update(sums[i], grads[i]);
    return simplify(graph_);
  }

 private:
  Graph graph_;
  Builder b_{graph_};
  std::vector<Value> parameters_;
};

Graph chain_of_blocks(int blocks) {
  Network network;
  Value x = tanh(network.linear("in", network.input(), kWidth));
  for (int i = 0; i < blocks; ++i) x = network.block(fmt::format("b{}", i), x);
  return network.gradient_graph(x);
}

Graph encoder_and_decoder(int blocks) {
  Network network;
  Value x = tanh(network.linear("in", network.input(), kWidth));
  Value memory = x;
  for (int i = 0; i < blocks; ++i) memory = network.block(fmt::format("encoder{}", i), memory);
  for (int i = 0; i < blocks; ++i) x = network.cross_block(fmt::format("decoder{}", i), x, memory);
  return network.gradient_graph(x);
}

int replays_of(const Graph& graph, Op op) {
  int found = 0;
  for (NodeId id = 0; id < graph.size(); ++id) found += graph.node(id).op == op && graph.node(id).replay > 0 ? 1 : 0;
  return found;
}

/// The graph without replays: each replay's results are those of the node that it repeats.
std::string text_without_replays(const Graph& graph) {
  Graph to;
  std::map<std::pair<std::string, std::vector<Ref>>, NodeId> known;
  std::vector<NodeId> now;
  const auto renamed = [&](Ref ref) { return Ref{now[static_cast<size_t>(ref.node)], ref.output}; };
  for (NodeId id = 0; id < graph.size(); ++id) {
    Node node = graph.node(id);
    for (Ref& ref : node.inputs) ref = renamed(ref);
    node.replay = 0;
    const auto key = std::pair(fmt::format("{} {}", name_of(node.op), to_string(node.attributes)), node.inputs);
    const auto [place, fresh] = known.emplace(key, to.size());
    now.push_back(place->second);
    if (fresh) to.append(std::move(node));
  }
  // A fingerprint that the order of independent nodes does not change: every node as a term over the leaves.
  std::vector<uint64_t> terms;
  const std::hash<std::string> hash;
  for (NodeId id = 0; id < to.size(); ++id) {
    const Node& node = to.node(id);
    std::string term = fmt::format("{} {}", name_of(node.op), to_string(node.attributes));
    for (const Ref ref : node.inputs) term += fmt::format(" {}.{}", terms[static_cast<size_t>(ref.node)], ref.output);
    terms.push_back(hash(term));
  }
  std::string text;
  const auto term = [&](Ref ref) {
    return fmt::format("{}.{}", terms[static_cast<size_t>(renamed(ref).node)], ref.output);
  };
  for (const auto& output : graph.outputs()) text += output.name + " = " + term(output.value) + "\n";
  std::vector<std::string> updates;
  for (const auto& update : graph.updates())
    updates.push_back(term({update.variable, 0}) + " := " + term(update.value));
  std::ranges::sort(updates);
  for (const std::string& update : updates) text += update + "\n";
  return text;
}

TEST(RematTest, FreeReplaysComputeNormsAndActivationsAgainButNoProducts) {
  const Graph graph = chain_of_blocks(8);
  const RematResult result = rematerialised(graph, {});
  EXPECT_EQ(replays_of(result.graph, Op::layer_norm), 8);
  EXPECT_EQ(replays_of(result.graph, Op::bias_gelu), 8);
  EXPECT_EQ(replays_of(result.graph, Op::matmul), 0);
  EXPECT_EQ(result.report.bytes_without, arena_of(graph));
  EXPECT_EQ(result.report.bytes, arena_of(result.graph));
  // Kept for each block before: x, norm, 4 before and 4 after the activation; now x and the 4 before.
  EXPECT_LE(result.report.bytes, result.report.bytes_without - 7 * 5 * kBytes);
  EXPECT_NO_THROW(verify(result.graph));
}

TEST(RematTest, ComputesTheSameWhateverTheBudget) {
  for (const Graph& graph : {chain_of_blocks(6), encoder_and_decoder(4)}) {
    const std::string expected = text_without_replays(graph);
    const int64_t least = least_budget(graph, {.seconds = seconds_of, .workspace = no_workspace});
    const int64_t most = arena_of(graph);
    ASSERT_LT(least, most / 2);
    for (int i = 0; i <= 10; ++i) {
      const int64_t budget = least + (most - least) * i / 10;
      const RematResult result = rematerialised(graph, {.budget_bytes = budget});
      EXPECT_EQ(text_without_replays(result.graph), expected) << budget;
      EXPECT_LE(arena_of(result.graph), budget);
      EXPECT_EQ(arena_of(result.graph), result.report.bytes);
      EXPECT_NO_THROW(verify(result.graph));
    }
  }
}

TEST(RematTest, SimplifyDoesNotUndoIt) {
  const Graph graph = chain_of_blocks(6);
  const int64_t least = least_budget(graph, {.seconds = seconds_of, .workspace = no_workspace});
  const RematResult result = rematerialised(graph, {.budget_bytes = least});
  const Graph again = simplify(result.graph);
  EXPECT_EQ(again.size(), result.graph.size());
  EXPECT_LE(arena_of(again), least);
  EXPECT_GT(replays_of(again, Op::matmul), 0);
}

TEST(RematTest, DropoutIsReplayedUnderItsOwnKey) {
  const Graph graph = chain_of_blocks(4);
  const int64_t least = least_budget(graph, {.seconds = seconds_of, .workspace = no_workspace});
  const RematResult result = rematerialised(graph, {.budget_bytes = least});
  std::map<std::string, int> before;
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (graph.node(id).op == Op::dropout) ++before[to_string(graph.node(id).attributes)];
  }
  for (NodeId id = 0; id < result.graph.size(); ++id) {
    const Node& node = result.graph.node(id);
    if (node.op != Op::dropout) continue;
    EXPECT_EQ(before.count(to_string(node.attributes)), 1u);
  }
  EXPECT_GT(replays_of(result.graph, Op::dropout), 0);
}

TEST(RematTest, LessMemoryNeverTakesLessTime) {
  const Graph graph = chain_of_blocks(10);
  const int64_t least = least_budget(graph, {.seconds = seconds_of, .workspace = no_workspace});
  const int64_t most = rematerialised(graph, {}).report.bytes;
  double longest = 0;
  for (int i = 20; i >= 0; --i) {
    const RematReport report = rematerialised(graph, {.budget_bytes = least + (most - least) * i / 20}).report;
    EXPECT_GE(report.seconds, 0.99 * longest) << i;  // the search stops by the clock
    EXPECT_GE(report.seconds, report.lower_bound_seconds * (1 - 1e-9));
    longest = std::max(longest, report.seconds);
  }
}

TEST(RematTest, ABudgetBelowTheLeastIsRefusedWithTheLeast) {
  const Graph graph = chain_of_blocks(4);
  const int64_t least = least_budget(graph, {.seconds = seconds_of, .workspace = no_workspace});
  EXPECT_EQ(rematerialised(graph, {.budget_bytes = least}).report.bytes, least);
  EXPECT_THAT(error_of([&] { rematerialised(graph, {.budget_bytes = least / 2}); }),
              HasSubstr(fmt::format("the least possible is {} bytes", least)));
}

TEST(RematTest, AGraphWithoutBackwardPartStaysAsItIs) {
  Graph graph;
  Builder b(graph);
  b.output("y", tanh(matmul(b.input("x", f32({8, 4})), b.variable("w", f32({4, 4})))));
  EXPECT_EQ(to_string(rematerialised(graph, {}).graph), to_string(graph));
  const int64_t bytes = arena_of(graph);
  EXPECT_EQ(to_string(rematerialised(graph, {.budget_bytes = bytes}).graph), to_string(graph));
  EXPECT_THAT(error_of([&] { rematerialised(graph, {.budget_bytes = bytes - 1}); }),
              HasSubstr(fmt::format("the least possible is {} bytes", bytes)));
}

TEST(RematTest, SwitchedOffItChangesNothing) {
  const Graph graph = chain_of_blocks(3);
  EXPECT_EQ(to_string(rematerialised(graph, {.free_replays = false}).graph), to_string(graph));
}

TEST(RematTest, TheReportNamesWhatIsKept) {
  const RematReport report = rematerialised(chain_of_blocks(2), {}).report;
  int kept = 0;
  int replayed = 0;
  for (const auto& activation : report.activations) {
    kept += activation.kept ? 1 : 0;
    replayed += activation.replays;
    EXPECT_GE(activation.replay_seconds, 0);
    if (activation.name == fmt::format("bias_gelu [{}, {}]", kRows, 4 * kWidth)) {
      EXPECT_FALSE(activation.kept);
      EXPECT_EQ(activation.replays, 1);
      EXPECT_EQ(activation.bytes, 4 * kBytes);
    }
  }
  EXPECT_GT(kept, 0);
  EXPECT_GT(replayed, 0);
  EXPECT_GT(report.seconds, report.seconds_without);
}

TEST(RematTest, ReplaysArePrinted) {
  EXPECT_THAT(to_string(rematerialised(chain_of_blocks(3), {}).graph), HasSubstr(" replay 1 : "));
  EXPECT_THAT(to_string(chain_of_blocks(3)), Not(HasSubstr("replay")));
}

}  // namespace
}  // namespace sesame
