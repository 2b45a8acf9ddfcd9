#include "sesame/passes/remat/problem.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "sesame/base/error_of.h"

namespace sesame::remat {
namespace {

/// a -> b -> c -> d, and d reads a's value, too; c may write in place of b.
Problem small_problem() {
  Problem problem;
  problem.values = {{.bytes = 10, .producer = 0},
                    {.bytes = 20, .producer = 1},
                    {.bytes = 20, .producer = 2},
                    {.bytes = 5, .producer = 3, .kept_to_end = true}};
  problem.nodes = {{.seconds = 1, .outputs = {0}},
                   {.seconds = 2, .inputs = {0}, .outputs = {1}},
                   {.seconds = 4, .workspace = 3, .inputs = {1}, .outputs = {2}, .in_place = {{2, 1}}},
                   {.seconds = 8, .inputs = {0, 2}, .outputs = {3}}};
  problem.fixed_bytes = 100;
  return problem;
}

TEST(Simulate, CountsWhatLives) {
  const Problem problem = small_problem();
  EXPECT_EQ(in_order(problem), (Sequence{0, 1, 2, 3}));
  EXPECT_EQ(timeline(problem, {0, 1, 2, 3}), (std::vector<int64_t>{110, 130, 133, 135}));
  const Footprint footprint = simulate(problem, {0, 1, 2, 3});
  EXPECT_EQ(footprint.seconds, 15);
  EXPECT_EQ(footprint.peak_bytes, 135);
  EXPECT_EQ(footprint.peak_position, 3);
  // The first value does not live from its first use to the second.
  EXPECT_EQ(timeline(problem, {0, 1, 2, 0, 3}), (std::vector<int64_t>{110, 130, 123, 130, 135}));
  EXPECT_EQ(simulate(problem, {0, 1, 2, 0, 3}).seconds, 16);
}

TEST(Simulate, TakesOverBytesOnlyAtTheLastRead) {
  Problem problem = small_problem();
  problem.nodes[3].inputs = {0, 1, 2};
  EXPECT_EQ(timeline(problem, {0, 1, 2, 3}), (std::vector<int64_t>{110, 130, 153, 155}));
  problem = small_problem();
  problem.values[1].kept_to_end = true;
  EXPECT_EQ(timeline(problem, {0, 1, 2, 3}), (std::vector<int64_t>{110, 130, 153, 155}));
  // Run again, the first run's value dies where it is read.
  EXPECT_EQ(timeline(problem, {0, 1, 2, 1, 3}), (std::vector<int64_t>{110, 130, 133, 150, 155}));
  problem = small_problem();
  problem.values[2].bytes = 8;  // smaller than what it takes over
  EXPECT_EQ(timeline(problem, {0, 1, 2, 3}), (std::vector<int64_t>{110, 130, 133, 123}));
}

TEST(Simulate, EachValueTakesPartInOneTakeover) {
  Problem problem;
  problem.values = {{.bytes = 4}, {.bytes = 4}, {.bytes = 4, .producer = 0}, {.bytes = 4, .producer = 0}};
  problem.nodes = {{.inputs = {0, 1}, .outputs = {2, 3}, .in_place = {{2, 0}, {2, 1}, {3, 0}}}};
  EXPECT_EQ(simulate(problem, {0}).peak_bytes, 12);
  problem.nodes[0].in_place.emplace_back(3, 1);
  EXPECT_EQ(simulate(problem, {0}).peak_bytes, 8);
}

TEST(Simulate, NamesWhatIsWrong) {
  Problem problem = small_problem();
  const auto error = [&](const Sequence& s) { return error_of([&] { simulate(problem, s); }); };
  EXPECT_EQ(error({0, 2, 1, 3}), "rematerialisation: node 2 at position 1 reads value 1 before node 1 has computed it");
  EXPECT_EQ(error({0, 1, 2}), "rematerialisation: node 3 never runs");
  EXPECT_EQ(error({0, 1, 4}), "rematerialisation: node 4 at position 2 is not one of 4");
  problem.nodes[1].once = problem.nodes[3].once = true;
  EXPECT_EQ(error({0, 1, 1, 2, 3}),
            "rematerialisation: node 1 changes a variable and runs a second time at position 2");
  problem.nodes[3].inputs.clear();
  EXPECT_EQ(error({0, 3, 1, 2}), "rematerialisation: node 1 changes a variable and runs at position 2, after node 3");
  EXPECT_EQ(error({0, 1, 2, 3}), "no error");
}

Problem random_problem(std::mt19937& random) {
  const auto below = [&](size_t n) { return static_cast<int32_t>(random() % n); };
  Problem problem;
  problem.fixed_bytes = below(5);
  for (int i = below(3); i > 0; --i) {
    problem.values.push_back({.bytes = below(9), .producer = -1, .kept_to_end = below(4) == 0});
  }
  const int32_t nodes = 1 + below(9);
  for (int32_t n = 0; n < nodes; ++n) {
    Problem::Node node{.seconds = static_cast<double>(below(9)), .workspace = below(3) == 0 ? below(9) : 0};
    for (int32_t v = 0; v < static_cast<int32_t>(problem.values.size()); ++v) {
      if (below(3) == 0) node.inputs.push_back(v);
    }
    for (int outputs = below(3); outputs >= 0; --outputs) {
      const auto output = static_cast<int32_t>(problem.values.size());
      problem.values.push_back({.bytes = below(9), .producer = n, .kept_to_end = below(6) == 0});
      for (const int32_t input : node.inputs) {
        if (below(2) == 0) node.in_place.emplace_back(output, input);
      }
      node.outputs.push_back(output);
    }
    problem.nodes.push_back(node);
  }
  return problem;
}

/// A legal sequence that runs each node at least once and some again.
Sequence random_sequence(const Problem& problem, std::mt19937& random) {
  Sequence sequence;
  for (int32_t n = 0; n < static_cast<int32_t>(problem.nodes.size()); ++n) {
    while (n > 0 && random() % 3 == 0) sequence.push_back(static_cast<int32_t>(random() % static_cast<size_t>(n)));
    sequence.push_back(n);
  }
  return sequence;
}

/// At each position asks for each value, by looking ahead, whether its bytes are still needed.
std::vector<int64_t> naive_timeline(const Problem& problem, const Sequence& sequence) {
  const size_t length = sequence.size();
  const auto runs = [&](size_t p, int32_t producer) { return sequence[p] == producer; };
  const auto reads = [&](size_t p, int32_t v) {
    return std::ranges::count(problem.nodes[static_cast<size_t>(sequence[p])].inputs, v) > 0;
  };
  // What v holds after position p's reads: is it read later, before it is computed anew, or wanted in the end?
  const auto needed_after = [&](size_t p, int32_t v) {
    const Problem::Value& value = problem.values[static_cast<size_t>(v)];
    for (size_t q = p + 1; q < length; ++q) {
      if (reads(q, v)) return true;
      if (runs(q, value.producer)) return false;
    }
    return value.kept_to_end;
  };
  std::vector<int64_t> bytes;
  for (size_t p = 0; p < length; ++p) {
    const Problem::Node& node = problem.nodes[static_cast<size_t>(sequence[p])];
    int64_t sum = problem.fixed_bytes + node.workspace;
    std::map<int32_t, bool> dies;
    for (int32_t v = 0; v < static_cast<int32_t>(problem.values.size()); ++v) {
      const Problem::Value& value = problem.values[static_cast<size_t>(v)];
      bool computed = value.producer < 0;
      for (size_t q = 0; q < p; ++q) computed = computed || runs(q, value.producer);
      const bool present = computed && !runs(p, value.producer);
      const bool output = runs(p, value.producer);
      if (output || (present && (reads(p, v) || needed_after(p, v)))) sum += value.bytes;
      if (value.producer < 0 && p == 0 && !reads(p, v) && !needed_after(p, v)) sum += value.bytes;
      if (reads(p, v)) dies[v] = !needed_after(p, v);
    }
    std::vector<int32_t> placed;
    for (const auto& [output, input] : node.in_place) {
      const int64_t shared =
          std::min(problem.values[static_cast<size_t>(output)].bytes, problem.values[static_cast<size_t>(input)].bytes);
      if (!dies[input] || shared == 0) continue;
      if (std::ranges::count(placed, input) + std::ranges::count(placed, output) > 0) continue;
      placed.insert(placed.end(), {input, output});
      sum -= shared;
    }
    bytes.push_back(sum);
  }
  return bytes;
}

TEST(Simulate, EqualsANaiveSimulationOnRandomSequences) {
  std::mt19937 random(5);
  int again = 0;
  for (int round = 0; round < 2000; ++round) {
    const Problem problem = random_problem(random);
    const Sequence sequence = random_sequence(problem, random);
    const auto expected = naive_timeline(problem, sequence);
    ASSERT_EQ(timeline(problem, sequence), expected) << "round " << round;
    const Footprint footprint = simulate(problem, sequence);
    EXPECT_EQ(footprint.peak_bytes, *std::ranges::max_element(expected));
    EXPECT_EQ(expected[static_cast<size_t>(footprint.peak_position)], footprint.peak_bytes);
    again += sequence.size() > problem.nodes.size();
  }
  EXPECT_GT(again, 500);
}

}  // namespace
}  // namespace sesame::remat
