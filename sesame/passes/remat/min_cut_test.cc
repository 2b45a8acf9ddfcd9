#include "sesame/passes/remat/min_cut.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "sesame/base/error_of.h"

namespace sesame::remat {
namespace {

struct TestEdge {
  int from;
  int to;
  double capacity;
};

/// Tries all sides of the source. Of several cheapest cuts the smallest side is what all their sides have in common.
FlowNetwork::Cut brute_force(int nodes, const std::vector<TestEdge>& edges, int source, int sink) {
  FlowNetwork::Cut best{FlowNetwork::kUncuttable, std::vector<bool>(static_cast<size_t>(nodes), true)};
  for (unsigned side = 0; side < 1u << nodes; ++side) {
    if ((side >> source & 1u) == 0 || (side >> sink & 1u) != 0) continue;
    double capacity = 0;
    for (const TestEdge& edge : edges) {
      if ((side >> edge.from & 1u) != 0 && (side >> edge.to & 1u) == 0) capacity += edge.capacity;
    }
    if (capacity > best.capacity) continue;
    if (capacity < best.capacity) best.on_source_side.assign(static_cast<size_t>(nodes), true);
    best.capacity = capacity;
    for (int n = 0; n < nodes; ++n) {
      if ((side >> n & 1u) == 0) best.on_source_side[static_cast<size_t>(n)] = false;
    }
  }
  return best;
}

std::vector<TestEdge> random_edges(std::mt19937& random, int nodes, bool whole_numbers) {
  std::vector<TestEdge> edges;
  const int count = static_cast<int>(random() % 25);
  for (int e = 0; e < count; ++e) {
    const auto node = [&] { return static_cast<int>(random() % static_cast<unsigned>(nodes)); };
    double capacity = static_cast<double>(random() % 10);
    if (!whole_numbers) capacity = std::ldexp(static_cast<double>(random()), -static_cast<int>(random() % 40));
    if (random() % 8 == 0) capacity = FlowNetwork::kUncuttable;
    edges.push_back({node(), node(), capacity});
  }
  return edges;
}

FlowNetwork network_of(int nodes, const std::vector<TestEdge>& edges) {
  FlowNetwork network(nodes);
  for (const TestEdge& edge : edges) network.add_edge(edge.from, edge.to, edge.capacity);
  return network;
}

TEST(MinCut, EqualsBruteForce) {
  std::mt19937 random(3);
  int infinite = 0;
  int positive = 0;
  for (int round = 0; round < 3000; ++round) {
    const int nodes = 2 + static_cast<int>(random() % 8);
    const auto edges = random_edges(random, nodes, true);
    const auto cut = network_of(nodes, edges).min_cut(0, nodes - 1);
    const auto expected = brute_force(nodes, edges, 0, nodes - 1);
    ASSERT_EQ(cut.capacity, expected.capacity) << "round " << round;
    infinite += expected.capacity == FlowNetwork::kUncuttable;
    positive += expected.capacity > 0 && expected.capacity < FlowNetwork::kUncuttable;
    if (expected.capacity < FlowNetwork::kUncuttable) {
      ASSERT_EQ(cut.on_source_side, expected.on_source_side) << "round " << round;
    }
  }
  EXPECT_GT(infinite, 100);
  EXPECT_GT(positive, 500);
}

TEST(MinCut, CapacitiesOverManyOrdersOfMagnitude) {
  std::mt19937 random(4);
  for (int round = 0; round < 3000; ++round) {
    const int nodes = 2 + static_cast<int>(random() % 8);
    const auto edges = random_edges(random, nodes, false);
    const auto cut = network_of(nodes, edges).min_cut(0, nodes - 1);
    const auto expected = brute_force(nodes, edges, 0, nodes - 1);
    if (expected.capacity == FlowNetwork::kUncuttable) {
      ASSERT_EQ(cut.capacity, FlowNetwork::kUncuttable);
    } else {
      ASSERT_NEAR(cut.capacity, expected.capacity, 1e-9 * expected.capacity) << "round " << round;
    }
  }
}

/// Thirds do not add up: 0.1 + 0.2 leaves a crumb of 0.3 that must not count as a way through.
TEST(MinCut, RoundingLeavesNoWayThrough) {
  FlowNetwork network(4);
  network.add_edge(0, 1, 0.1 + 0.2);
  network.add_edge(1, 2, 0.1);
  network.add_edge(1, 2, 0.2);
  network.add_edge(2, 3, 0.3);
  const auto cut = network.min_cut(0, 3);
  EXPECT_NEAR(cut.capacity, 0.3, 1e-12);
  EXPECT_EQ(cut.on_source_side, (std::vector<bool>{true, false, false, false}));
}

TEST(MinCut, SmallDifferencesCount) {
  FlowNetwork network(3);
  network.add_edge(0, 1, 1);
  network.add_edge(1, 2, 1 - 1e-9);
  const auto cut = network.min_cut(0, 2);
  EXPECT_EQ(cut.capacity, 1 - 1e-9);
  EXPECT_EQ(cut.on_source_side, (std::vector<bool>{true, true, false}));
}

TEST(MinCut, ALongPathWithoutRecursion) {
  constexpr int kNodes = 200'000;
  FlowNetwork network(1);
  for (int n = 1; n < kNodes; ++n)
    network.add_edge(network.add_node() - 1, n, n == 1000 ? 1 : FlowNetwork::kUncuttable);
  const auto cut = network.min_cut(0, kNodes - 1);
  EXPECT_EQ(cut.capacity, 1);
  EXPECT_TRUE(cut.on_source_side[999]);
  EXPECT_FALSE(cut.on_source_side[1000]);
}

TEST(MinCut, RefusesWhatIsNoNetwork) {
  FlowNetwork network(2);
  EXPECT_EQ(error_of([&] { network.add_edge(0, 2, 1); }), "flow network: edge from 0 to 2 among 2 nodes");
  EXPECT_EQ(error_of([&] { network.add_edge(0, 1, -1); }), "flow network: edge from 0 to 1 of capacity -1");
  EXPECT_EQ(error_of([&] { network.add_edge(0, 1, std::numeric_limits<double>::quiet_NaN()); }),
            "flow network: edge from 0 to 1 of capacity nan");
  EXPECT_EQ(error_of([&] { network.min_cut(1, 1); }), "flow network: cut between 1 and 1 among 2 nodes");
}

}  // namespace
}  // namespace sesame::remat
