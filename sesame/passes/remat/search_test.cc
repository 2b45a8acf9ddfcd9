#include "sesame/passes/remat/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <unordered_map>

#include "sesame/base/error_of.h"
#include "sesame/passes/remat/local_search.h"

namespace sesame::remat {
namespace {

/// The fewest seconds of all executions within a budget: Dijkstra over (nodes that ran, values that are held).
class TrueOptimum {
 public:
  TrueOptimum(const Problem& problem, int64_t budget) : problem_(problem), budget_(budget) {}

  std::optional<double> run() {
    uint64_t start = 0;
    for (size_t v = 0; v < problem_.values.size(); ++v) {
      if (problem_.values[v].producer < 0) start |= uint64_t{1} << v;
    }
    best_[{0, start}] = 0;
    queue_.push({0, {0, start}});
    while (!queue_.empty()) {
      const auto [seconds, place] = queue_.top();
      queue_.pop();
      if (seconds > best_.at(place)) continue;
      if (finished(place)) return seconds;
      for (size_t n = 0; n < problem_.nodes.size(); ++n) step(place, seconds, n);
    }
    return std::nullopt;
  }

 private:
  using Place = std::pair<uint64_t, uint64_t>;  // ran, held
  using Entry = std::pair<double, Place>;
  struct Hash {
    size_t operator()(const Place& place) const {
      return (place.first << 40 ^ place.second) * 0x9e3779b97f4a7c15u >> 16;
    }
  };

  static bool has(uint64_t set, size_t i) { return (set >> i & 1u) != 0; }

  bool finished(const Place& place) const {
    for (size_t n = 0; n < problem_.nodes.size(); ++n) {
      if (!has(place.first, n)) return false;
    }
    for (size_t v = 0; v < problem_.values.size(); ++v) {
      if (problem_.values[v].kept_to_end && !has(place.second, v)) return false;
    }
    return true;
  }

  /// Runs node n beside any part of what was held before; inputs that an output may take over may end in the act.
  void step(const Place& place, double seconds, size_t n) {
    const Problem::Node& node = problem_.nodes[n];
    uint64_t inputs = 0;
    uint64_t outputs = 0;
    for (const int32_t v : node.inputs) inputs |= uint64_t{1} << v;
    for (const int32_t v : node.outputs) outputs |= uint64_t{1} << v;
    if ((inputs & ~place.second) != 0) return;
    if (has(place.first, n) && (outputs & ~place.second) == 0) return;  // nothing new
    if (node.once) {
      for (size_t m = n; m < problem_.nodes.size(); ++m) {
        if (problem_.nodes[m].once && has(place.first, m)) return;
      }
    }
    uint64_t givers = 0;
    for (const auto& pair : node.in_place) givers |= uint64_t{1} << pair.second;
    const uint64_t optional = place.second & ~inputs & ~outputs;
    for (uint64_t kept = optional;; kept = (kept - 1) & optional) {
      for (uint64_t ending = givers;; ending = (ending - 1) & givers) {
        const uint64_t during = kept | inputs | outputs;
        if (bytes(node, during, ending) <= budget_) {
          reach({place.first | uint64_t{1} << n, during & ~ending}, seconds + node.seconds);
        }
        if (ending == 0) break;
      }
      if (kept == 0) break;
    }
  }

  int64_t bytes(const Problem::Node& node, uint64_t during, uint64_t ending) const {
    int64_t sum = problem_.fixed_bytes + node.workspace;
    for (size_t v = 0; v < problem_.values.size(); ++v) {
      if (has(during, v)) sum += problem_.values[v].bytes;
    }
    std::set<int32_t> placed;
    for (const auto& [output, input] : node.in_place) {
      if (!has(ending, static_cast<size_t>(input)) || placed.count(input) + placed.count(output) > 0) continue;
      const int64_t shared = std::min(problem_.values[static_cast<size_t>(output)].bytes,
                                      problem_.values[static_cast<size_t>(input)].bytes);
      if (shared == 0) continue;
      placed.insert({input, output});
      sum -= shared;
    }
    return sum;
  }

  void reach(const Place& place, double seconds) {
    const auto [known, added] = best_.try_emplace(place, seconds);
    if (!added && known->second <= seconds) return;
    known->second = seconds;
    queue_.push({seconds, place});
  }

  const Problem& problem_;
  int64_t budget_;
  std::unordered_map<Place, double, Hash> best_;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue_;
};

int64_t upto(std::mt19937& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

void add_node(Problem& problem, std::mt19937& random, std::vector<int32_t> inputs, int outputs) {
  const auto number = static_cast<int32_t>(problem.nodes.size());
  Problem::Node node{.seconds = static_cast<double>(upto(random, 1, 10)),
                     .workspace = upto(random, 0, 3) == 0 ? upto(random, 1, 4) : 0};
  std::sort(inputs.begin(), inputs.end());
  inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
  node.inputs = inputs;
  for (int o = 0; o < outputs; ++o) {
    const auto value = static_cast<int32_t>(problem.values.size());
    problem.values.push_back({.bytes = upto(random, 1, 9), .producer = number});
    node.outputs.push_back(value);
    if (o == 0 && !inputs.empty() && upto(random, 0, 2) == 0) {
      problem.values.back().bytes = problem.values[static_cast<size_t>(inputs[0])].bytes;
      node.in_place.emplace_back(value, inputs[0]);
    }
  }
  problem.nodes.push_back(node);
}

/// Any graph: each node reads up to three values of nodes before it, those not yet read first.
Problem random_graph(std::mt19937& random, int nodes) {
  Problem problem;
  problem.fixed_bytes = upto(random, 0, 5);
  std::vector<int32_t> unread;
  for (int n = 0; n < nodes; ++n) {
    std::vector<int32_t> inputs;
    const auto values = static_cast<int64_t>(problem.values.size());
    for (int64_t i = std::min<int64_t>(values, upto(random, 1, 3)); i > 0; --i) {
      const bool fresh = !unread.empty() && upto(random, 0, 2) == 0;
      const int32_t value = fresh ? unread.front() : static_cast<int32_t>(upto(random, 0, values - 1));
      inputs.push_back(value);
      std::erase(unread, value);
    }
    if (n + 1 == nodes) inputs.insert(inputs.end(), unread.begin(), unread.end());
    add_node(problem, random, inputs, upto(random, 0, 6) == 0 ? 2 : 1);
    for (const int32_t output : problem.nodes.back().outputs) unread.push_back(output);
  }
  problem.values.back().kept_to_end = true;
  return problem;
}

/// A forward part and its mirror: node i's gradient reads the next gradient and values of i's inputs or outputs. The
/// last forward node is the turning point.
Problem random_training_step(std::mt19937& random, int forward, int32_t* turning) {
  Problem problem;
  for (int n = 0; n < forward; ++n) {
    std::vector<int32_t> inputs;
    if (n > 0) inputs.push_back(n - 1);
    if (n > 1 && upto(random, 0, 2) == 0) inputs.push_back(static_cast<int32_t>(upto(random, 0, n - 2)));
    add_node(problem, random, inputs, 1);
  }
  *turning = forward - 1;
  for (int n = forward - 1; n >= 0; --n) {
    std::vector<int32_t> inputs = {static_cast<int32_t>(problem.values.size()) - 1};
    if (n > 0 && upto(random, 0, 3) != 0) inputs.push_back(n - 1);
    if (upto(random, 0, 2) == 0) inputs.push_back(n);
    add_node(problem, random, inputs, 1);
  }
  problem.values.back().kept_to_end = true;
  return problem;
}

struct Instance {
  Problem problem;
  int32_t turning = -1;
  int64_t budget = 0;
  std::optional<double> optimum;
};

/// Problems of up to a dozen nodes under budgets from what they take in order down to where nothing runs.
std::vector<Instance> small_instances(int problems, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<Instance> instances;
  for (int i = 0; i < problems; ++i) {
    Instance instance;
    if (i % 2 == 0) {
      instance.problem = random_graph(random, static_cast<int>(upto(random, 5, 12)));
    } else {
      instance.problem = random_training_step(random, static_cast<int>(upto(random, 3, 6)), &instance.turning);
    }
    const int64_t peak = simulate(instance.problem, in_order(instance.problem)).peak_bytes;
    for (const int percent : {92, 84, 76, 68, 60}) {
      instance.budget = peak * percent / 100;
      instance.optimum = TrueOptimum(instance.problem, instance.budget).run();
      instances.push_back(instance);
      if (!instance.optimum) break;
    }
  }
  return instances;
}

struct Ratios {
  double sum = 0;
  double worst = 0;
  int count = 0;
  int missed = 0;       // the optimum exists, none was found
  int recomputing = 0;  // the optimum is above each node once
  double mean() const { return sum / std::max(1, count); }
};

template <typename Solve>
Ratios compare(const std::vector<Instance>& instances, Solve&& solve) {
  Ratios ratios;
  for (const Instance& instance : instances) {
    const std::optional<Sequence> found = solve(instance);
    if (!instance.optimum) {
      EXPECT_FALSE(found) << "budget " << instance.budget;
      continue;
    }
    if (!found) {
      ++ratios.missed;
      continue;
    }
    const Footprint footprint = simulate(instance.problem, *found);
    EXPECT_LE(footprint.peak_bytes, instance.budget);
    EXPECT_GE(footprint.seconds, *instance.optimum - 1e-9);
    const double ratio = footprint.seconds / *instance.optimum;
    ratios.sum += ratio;
    ratios.worst = std::max(ratios.worst, ratio);
    ++ratios.count;
    ratios.recomputing += *instance.optimum > simulate(instance.problem, in_order(instance.problem)).seconds + 1e-9;
  }
  std::printf("%d found, %d of them recompute, %d missed, mean %.4f, worst %.4f\n", ratios.count, ratios.recomputing,
              ratios.missed, ratios.mean(), ratios.worst);
  return ratios;
}

TEST(Search, FindsTheOptimumOfSmallProblems) {
  const auto instances = small_instances(40, 21);
  const Ratios ratios = compare(instances, [](const Instance& instance) {
    return search(instance.problem, in_order(instance.problem), instance.budget);
  });
  EXPECT_EQ(ratios.missed, 0);
  EXPECT_LE(ratios.mean(), 1 + 1e-9);
  EXPECT_LE(ratios.worst, 1 + 1e-9);
  EXPECT_GT(ratios.recomputing, 50);
}

TEST(LocalSearch, ComesCloseToTheOptimumOfSmallProblems) {
  const auto instances = small_instances(40, 22);
  const Ratios ratios = compare(instances, [](const Instance& instance) {
    return local_search(instance.problem, in_order(instance.problem), instance.budget, {.seconds = 10});
  });
  EXPECT_LE(ratios.missed, ratios.count / 10);
  EXPECT_LE(ratios.mean(), 1.10);
}

TEST(LowerBound, IsBelowTheOptimumAndNotFar) {
  double bound_above_once = 0;
  double optimum_above_once = 0;
  for (const Instance& instance : small_instances(60, 23)) {
    if (instance.turning < 0) continue;
    const double bound = lower_bound_seconds(instance.problem, instance.turning, instance.budget);
    if (!instance.optimum) continue;
    EXPECT_LE(bound, *instance.optimum);
    const double once = simulate(instance.problem, in_order(instance.problem)).seconds;
    EXPECT_GE(bound, once * (1 - 1e-12));
    bound_above_once += bound - once;
    optimum_above_once += *instance.optimum - once;
  }
  std::printf("lower bound: %.3f of the seconds that the optima recompute\n", bound_above_once / optimum_above_once);
}

}  // namespace
}  // namespace sesame::remat
