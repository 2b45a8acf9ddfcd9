#include "sesame/passes/remat/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <unordered_map>

#include "sesame/base/error_of.h"
#include "sesame/passes/remat/local_search.h"
#include "sesame/passes/remat/sequence_cost.h"

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
enum class Kinds { all, training_steps, graphs };

std::vector<Instance> small_instances(int problems, unsigned seed, Kinds kinds = Kinds::all) {
  std::mt19937 random(seed);
  std::vector<Instance> instances;
  for (int i = 0; i < problems; ++i) {
    Instance instance;
    if (kinds == Kinds::graphs || (kinds == Kinds::all && i % 2 == 0)) {
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
  testing::Test::RecordProperty("mean", std::to_string(ratios.mean()));
  testing::Test::RecordProperty("worst", std::to_string(ratios.worst));
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
  const auto instances = small_instances(24, 22);
  const Ratios ratios = compare(instances, [](const Instance& instance) {
    return local_search(instance.problem, in_order(instance.problem), instance.budget, {.seconds = 10});
  });
  EXPECT_LE(ratios.missed, ratios.count / 10);
  EXPECT_LE(ratios.mean(), 1.02);
  EXPECT_LE(ratios.worst, 1.15);
  EXPECT_GT(ratios.recomputing, 20);
}

/// A pre-norm transformer's step: per layer the operations forward and their gradients, weights left out. `encoder`
/// layers first, if any, whose result all layers of the decoder read: no chain then.
class TransformerStep {
 public:
  TransformerStep(int encoder, int layers) {
    int32_t x = add(1, {}, kHidden);
    int32_t memory = -1;
    std::vector<Layer> forward;
    for (int i = 0; i < layers; ++i) {
      if (encoder > 0 && i == encoder) {
        memory = x;
        x = add(1, {}, kHidden);
      }
      forward.push_back(layer(x, memory));
      x = forward.back().output;
    }
    turning = add(20, {x}, kHidden);
    int32_t gradient = turning;
    int32_t memory_gradient = -1;
    for (int i = layers - 1; i >= 0; --i) {
      if (i + 1 == encoder) gradient = memory_gradient;
      gradient = backward(forward[static_cast<size_t>(i)], gradient, &memory_gradient);
    }
    problem.values[static_cast<size_t>(gradient)].kept_to_end = true;
    turning = problem.values[static_cast<size_t>(turning)].producer;
  }

  Problem problem;
  int32_t turning;  // the node of the loss

 private:
  static constexpr int64_t kHidden = 1000;
  struct Layer {
    int32_t input = -1;
    int32_t memory = -1;
    int32_t norm = -1;
    int32_t queries = -1;
    int32_t attention = -1;
    int32_t middle = -1;
    int32_t second_norm = -1;
    int32_t up = -1;
    int32_t activation = -1;
    int32_t output = -1;
  };

  /// Its output may lie where its first input did, if that is as large.
  int32_t add(double seconds, std::vector<int32_t> inputs, int64_t bytes) {
    const auto node = static_cast<int32_t>(problem.nodes.size());
    const auto value = static_cast<int32_t>(problem.values.size());
    std::erase(inputs, -1);
    Problem::Node n{.seconds = seconds, .inputs = inputs};
    if (bytes > 0) {
      n.outputs = {value};
      problem.values.push_back({.bytes = bytes, .producer = node});
      const bool in_place = seconds < 4 && !inputs.empty() && inputs[0] != inputs.back();
      if (in_place && problem.values[static_cast<size_t>(inputs[0])].bytes == bytes) n.in_place = {{value, inputs[0]}};
    }
    problem.nodes.push_back(n);
    return value;
  }

  Layer layer(int32_t x, int32_t memory) {
    Layer l{.input = x, .memory = memory};
    l.norm = add(1, {x}, kHidden);
    l.queries = add(30, {l.norm}, 3 * kHidden);
    l.attention = add(12, {l.queries, memory}, kHidden);
    const int32_t projected = add(10, {l.attention}, kHidden);
    l.middle = add(1, {projected, x}, kHidden);
    l.second_norm = add(1, {l.middle}, kHidden);
    l.up = add(40, {l.second_norm}, 4 * kHidden);
    l.activation = add(3, {l.up}, 4 * kHidden);
    const int32_t down = add(40, {l.activation}, kHidden);
    l.output = add(1, {down, l.middle}, kHidden);
    return l;
  }

  int32_t backward(const Layer& l, int32_t gradient, int32_t* memory_gradient) {
    const int32_t activation = add(40, {gradient}, 4 * kHidden);
    add(40, {l.activation, gradient}, 0);
    const int32_t up = add(3, {activation, l.up}, 4 * kHidden);
    const int32_t second_norm = add(40, {up}, kHidden);
    add(40, {l.second_norm, up}, 0);
    const int32_t middle = add(2, {gradient, second_norm, l.middle}, kHidden);
    const int32_t attention = add(10, {middle}, kHidden);
    add(10, {l.attention, middle}, 0);
    const int32_t queries = add(25, {l.queries, attention, l.attention, l.memory}, 3 * kHidden);
    if (l.memory >= 0) *memory_gradient = add(9, {*memory_gradient, attention, l.queries}, kHidden);
    const int32_t norm = add(30, {queries}, kHidden);
    add(30, {l.norm, queries}, 0);
    return add(2, {middle, norm, l.input}, kHidden);
  }
};

TEST(LocalSearch, StaysCloseToTheBoundOnDeepTransformers) {
  for (const int encoder : {0, 8}) {
    const TransformerStep step(encoder, 20);
    const Footprint all = simulate(step.problem, in_order(step.problem));
    Sequence tight = in_order(step.problem);
    for (const int percent : {15, 30, 50, 70}) {
      const int64_t budget = all.peak_bytes * percent / 100;
      const double bound = lower_bound_seconds(step.problem, step.turning, budget);
      EXPECT_GT(bound, all.seconds) << percent;
      // From the given order, which is far over the budget, and from an execution within a tighter one.
      for (const Sequence& start : {in_order(step.problem), tight}) {
        const auto found = local_search(step.problem, start, budget, {.seconds = 20});
        ASSERT_TRUE(found) << percent;
        const Footprint footprint = simulate(step.problem, *found);
        EXPECT_LE(footprint.peak_bytes, budget);
        EXPECT_LE(footprint.seconds, 1.01 * bound) << percent << " %, encoder of " << encoder;
        if (percent == 15) tight = *found;
      }
    }
  }
}

TEST(LocalSearch, RunsNothingTwiceWhereThereIsRoom) {
  const TransformerStep step(0, 6);
  const Footprint all = simulate(step.problem, in_order(step.problem));
  const auto tight = local_search(step.problem, in_order(step.problem), all.peak_bytes / 3, {.seconds = 20});
  ASSERT_TRUE(tight);
  EXPECT_GT(tight->size(), step.problem.nodes.size());
  const auto ample = search(step.problem, *tight, all.peak_bytes);
  ASSERT_TRUE(ample);
  EXPECT_EQ(ample->size(), step.problem.nodes.size());
}

TEST(Search, NodesThatChangeVariablesRunOnceAndInOrder) {
  TransformerStep step(0, 6);
  for (auto& node : step.problem.nodes) node.once = node.outputs.empty();
  const Footprint all = simulate(step.problem, in_order(step.problem));
  const auto found = search(step.problem, in_order(step.problem), all.peak_bytes / 3, {.seconds = 20});
  ASSERT_TRUE(found);
  EXPECT_LE(simulate(step.problem, *found).peak_bytes, all.peak_bytes / 3);  // throws if they do not
}

TEST(Search, RefusesAStartThatIsNoExecution) {
  const TransformerStep step(0, 1);
  EXPECT_EQ(error_of([&] { search(step.problem, {0, 1}, 1000); }), "rematerialisation: node 2 never runs");
}

TEST(SequenceCost, SaysWhatSimulateSays) {
  std::mt19937 random(24);
  int legal = 0;
  int illegal = 0;
  for (int round = 0; round < 500; ++round) {
    Problem problem = random_graph(random, 9);
    for (auto& node : problem.nodes) {
      node.once = upto(random, 0, 2) == 0;
      for (const int32_t output : node.outputs) {
        for (const int32_t input : node.inputs) {
          if (upto(random, 0, 1) == 0) node.in_place.emplace_back(output, input);
        }
      }
    }
    SequenceCost cost(problem, 20);
    for (int variant = 0; variant < 6; ++variant) {
      Sequence sequence = in_order(problem);
      for (int64_t i = upto(random, 0, 4); i > 0; --i) {
        const auto at = sequence.begin() + upto(random, 0, static_cast<int64_t>(sequence.size()));
        sequence.insert(at, static_cast<int32_t>(upto(random, 0, 8)));
      }
      if (variant % 2 == 0) {
        const auto at = static_cast<size_t>(upto(random, 1, 8));
        std::swap(sequence[at - 1], sequence[at]);
      }
      const auto score = cost.evaluate(sequence);
      if (error_of([&] { simulate(problem, sequence); }) != "no error") {
        EXPECT_FALSE(score.legal);
        ++illegal;
        continue;
      }
      ++legal;
      const Footprint footprint = simulate(problem, sequence);
      ASSERT_TRUE(score.legal);
      EXPECT_EQ(score.seconds, footprint.seconds);
      EXPECT_EQ(score.peak_bytes, footprint.peak_bytes);
      EXPECT_EQ(cost.timeline(), timeline(problem, sequence));
    }
  }
  EXPECT_GT(legal, 300);
  EXPECT_GT(illegal, 300);
}

TEST(LowerBound, IsBelowTheOptimumAndNotFar) {
  double bound_above_once = 0;
  double optimum_above_once = 0;
  for (const Instance& instance : small_instances(30, 23, Kinds::training_steps)) {
    const double bound = lower_bound_seconds(instance.problem, instance.turning, instance.budget);
    if (!instance.optimum) continue;
    EXPECT_LE(bound, *instance.optimum);
    const double once = simulate(instance.problem, in_order(instance.problem)).seconds;
    EXPECT_GE(bound, once * (1 - 1e-12));
    bound_above_once += bound - once;
    optimum_above_once += *instance.optimum - once;
  }
  EXPECT_GT(bound_above_once, 0.15 * optimum_above_once);
}

TEST(LowerBound, HoldsWhereNodesMayRunOnEitherSide) {
  int above_once = 0;
  for (const Instance& instance : small_instances(20, 25, Kinds::graphs)) {
    if (!instance.optimum) continue;
    const double once = simulate(instance.problem, in_order(instance.problem)).seconds;
    for (int32_t turning = 0; turning < static_cast<int32_t>(instance.problem.nodes.size()); ++turning) {
      const double bound = lower_bound_seconds(instance.problem, turning, instance.budget);
      EXPECT_LE(bound, *instance.optimum);
      above_once += bound > once * (1 + 1e-6);
    }
  }
  EXPECT_GT(above_once, 10);
}

}  // namespace
}  // namespace sesame::remat
