#include "sesame/passes/remat/chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <unordered_map>

#include "sesame/base/error_of.h"

namespace sesame::remat {
namespace {

using Kind = ChainMove::Kind;

/// Revolve (Griewank and Walther 2000): forward steps for l steps with c slots for states, the initial one included;
/// the run of a step that its adjoint follows does not count.
int64_t revolve_steps(int64_t l, int64_t c) {
  const auto binomial = [](int64_t n, int64_t k) {
    int64_t result = 1;
    for (int64_t i = 1; i <= k; ++i) result = result * (n - k + i) / i;
    return result;
  };
  int64_t r = 0;
  while (binomial(c + r, c) < l) ++r;
  return r * l - (r == 0 ? 0 : binomial(c + r, c + 1));
}

/// Unit states; what a step saves is so much that only one step can be saved at a time.
Chain uniform_chain(int l, int64_t saved) {
  Chain chain;
  chain.stages.assign(static_cast<size_t>(l), {.input_bytes = 1, .forward_seconds = 1, .options = {{saved}}});
  chain.output_bytes = 1;
  return chain;
}

TEST(Revolve, FormulaOfTheTest) {
  EXPECT_EQ(revolve_steps(10, 3), 15);
  EXPECT_EQ(revolve_steps(4, 3), 3);
  EXPECT_EQ(revolve_steps(7, 1), 21);
}

TEST(SolveChain, UniformChainsTakeRevolvesStepsForEveryLengthAndNumberOfSlots) {
  constexpr int64_t kSaved = 32;
  for (int l = 1; l <= 60; ++l) {
    const Chain chain = uniform_chain(l, kSaved);
    for (int c = 1; c <= 8; ++c) {
      // A slot holds a state (the last working state is none); beside what one step saves there are two gradients.
      const int64_t budget = c + kSaved + 3;
      const auto plan = solve_chain(chain, budget);
      ASSERT_TRUE(plan) << l << " steps, " << c << " slots";
      EXPECT_EQ(plan->seconds, static_cast<double>(revolve_steps(l, c))) << l << " steps, " << c << " slots";
      EXPECT_LE(chain_peak(chain, plan->moves), budget);
    }
  }
}

Chain random_chain(std::mt19937& random, int stages, int most_options) {
  const auto upto = [&](int low, int high) { return static_cast<int64_t>(random() % (high - low + 1)) + low; };
  Chain chain;
  const int most_temporary = random() % 2 == 0 ? 5 : 30;
  for (int i = 0; i < stages; ++i) {
    Chain::Stage stage{.input_bytes = upto(1, 9),
                       .forward_seconds = static_cast<double>(upto(1, 20)),
                       .forward_temporary = upto(0, most_temporary)};
    chain.stages.push_back(stage);
  }
  chain.output_bytes = upto(0, 4);
  for (int i = 0; i < stages; ++i) {
    Chain::Stage& stage = chain.stages[static_cast<size_t>(i)];
    const int64_t output = i + 1 < stages ? chain.stages[static_cast<size_t>(i) + 1].input_bytes : chain.output_bytes;
    for (int64_t k = upto(1, most_options); k > 0; --k) {
      stage.options.push_back({.saved_bytes = output + upto(0, 20),
                               .forward_seconds = stage.forward_seconds + static_cast<double>(upto(0, 3)),
                               .backward_seconds = static_cast<double>(upto(1, 30)),
                               .forward_temporary = upto(0, 5),
                               .backward_temporary = upto(0, 8)});
    }
  }
  return chain;
}

/// Shortest path over all that an execution can hold: activations, saved stages, the gradient's place. Persistent: only
/// what was computed by the move before may be dropped.
class ExhaustiveChain {
 public:
  ExhaustiveChain(const Chain& chain, int64_t budget)
      : chain_(chain), stages_(static_cast<int>(chain.stages.size())), budget_(budget) {}

  std::optional<double> run() {
    State start;
    start.held[0] = true;
    start.gradient = static_cast<int8_t>(stages_);
    if (bytes(start) > budget_) return std::nullopt;
    reach(start, 0);
    while (!queue_.empty()) {
      const auto [seconds, state] = queue_.top();
      queue_.pop();
      if (seconds > seconds_.at(key(state))) continue;
      if (state.gradient == 0) return seconds;
      for (int i = 0; i < state.gradient; ++i) expand(state, seconds, i);
    }
    return std::nullopt;
  }

 private:
  struct State {
    std::array<bool, 10> held{};
    std::array<int8_t, 10> saved{};  // option + 1
    int8_t gradient = 0;             // of this activation; the number of stages: none yet
    int8_t fresh = -1;
  };
  struct Entry {
    double seconds;
    State state;
    bool operator<(const Entry& other) const { return seconds > other.seconds; }
  };

  static uint64_t key(const State& s) {
    uint64_t key = 0;
    for (const bool held : s.held) key = key * 2 + held;
    for (const int8_t saved : s.saved) key = key * 4 + static_cast<uint64_t>(saved);
    return (key * 16 + static_cast<uint64_t>(s.gradient)) * 16 + static_cast<uint64_t>(s.fresh + 1);
  }

  int64_t size(int i) const {
    return i < stages_ ? chain_.stages[static_cast<size_t>(i)].input_bytes : chain_.output_bytes;
  }

  int64_t bytes(const State& s) const {
    int64_t sum = s.gradient < stages_ ? size(s.gradient) : 0;
    for (int i = 0; i <= stages_; ++i) {
      const auto u = static_cast<size_t>(i);
      if (s.held[u]) sum += size(i);
      if (i < stages_ && s.saved[u] > 0) {
        sum += chain_.stages[u].options[static_cast<size_t>(s.saved[u]) - 1].saved_bytes;
      }
    }
    return sum;
  }

  void reach(const State& state, double seconds) {
    const auto [known, added] = seconds_.try_emplace(key(state), seconds);
    if (!added && known->second <= seconds) return;
    known->second = seconds;
    queue_.push({seconds, state});
  }

  void expand(const State& state, double seconds, int i) {
    const auto u = static_cast<size_t>(i);
    const Chain::Stage& stage = chain_.stages[u];
    if (!state.held[u] && !(i > 0 && state.saved[u - 1] > 0)) return;
    if (state.saved[u] > 0) {
      if (state.gradient != i + 1) return;
      const Chain::Option& option = stage.options[static_cast<size_t>(state.saved[u]) - 1];
      int64_t during = bytes(state) + size(i) + option.backward_temporary;
      if (i + 1 == stages_) during += chain_.output_bytes;
      State next = state;
      next.saved[u] = 0;
      next.held[u] = false;
      next.gradient = static_cast<int8_t>(i);
      next.fresh = -1;
      if (during <= budget_) reach(next, seconds + option.backward_seconds);
      return;
    }
    if (state.held[u + 1]) return;
    for (size_t k = 0; k < stage.options.size(); ++k) {
      State next = state;
      next.saved[u] = static_cast<int8_t>(k + 1);
      next.fresh = -1;
      if (bytes(next) + stage.options[k].forward_temporary > budget_) continue;
      reach(next, seconds + stage.options[k].forward_seconds);
    }
    State next = state;
    next.held[u + 1] = true;
    next.fresh = static_cast<int8_t>(i + 1);
    if (bytes(next) + stage.forward_temporary > budget_) return;
    reach(next, seconds + stage.forward_seconds);
    if (state.fresh != i) return;
    next.held[u] = false;
    reach(next, seconds + stage.forward_seconds);
  }

  const Chain& chain_;
  int stages_;
  int64_t budget_;
  std::unordered_map<uint64_t, double> seconds_;
  std::priority_queue<Entry> queue_;
};

/// What a chain takes with all kept, and a bound below which nothing can run.
std::pair<int64_t, int64_t> budget_range(const Chain& chain) {
  int64_t all = chain.stages[0].input_bytes + chain.output_bytes;
  for (const auto& stage : chain.stages) {
    int64_t most = 0;
    for (const auto& option : stage.options) most = std::max(most, option.saved_bytes);
    all += most;
  }
  return {chain.stages[0].input_bytes, all + 30};
}

void expect_equal_to_exhaustive(const Chain& chain, int64_t budget, int* feasible, int* infeasible) {
  const auto best = ExhaustiveChain(chain, budget).run();
  const auto plan = solve_chain(chain, budget);
  ASSERT_EQ(plan.has_value(), best.has_value()) << chain.stages.size() << " stages, budget " << budget;
  ++*(best ? feasible : infeasible);
  if (!plan) return;
  EXPECT_EQ(plan->seconds, *best) << chain.stages.size() << " stages, budget " << budget;
  EXPECT_LE(chain_peak(chain, plan->moves), budget);
}

TEST(SolveChain, EqualsExhaustiveSearchOnRandomChains) {
  std::mt19937 random(7);
  int feasible = 0;
  int infeasible = 0;
  for (int round = 0; round < 60; ++round) {
    const Chain chain = random_chain(random, 1 + round % 5, 3);
    const auto [low, high] = budget_range(chain);
    for (int64_t budget = low; budget <= high; budget += 3) {
      expect_equal_to_exhaustive(chain, budget, &feasible, &infeasible);
    }
  }
  for (int round = 0; round < 12; ++round) {
    const Chain chain = random_chain(random, 6 + round % 3, 3);
    const auto [low, high] = budget_range(chain);
    for (int part = 2; part <= 8; part += 2) {
      expect_equal_to_exhaustive(chain, low + (high - low) * part / 10, &feasible, &infeasible);
    }
  }
  EXPECT_GT(feasible, 300);
  EXPECT_GT(infeasible, 100);
}

TEST(SolveChain, EqualsExhaustiveSearchWhereSweepsNeedMost) {
  std::mt19937 random(8);
  int feasible = 0;
  int infeasible = 0;
  for (int round = 0; round < 40; ++round) {
    Chain chain = uniform_chain(4 + round % 3, 20);
    for (auto& stage : chain.stages) {
      stage.input_bytes = 1 + static_cast<int64_t>(random() % 6);
      stage.forward_temporary = static_cast<int64_t>(random() % 30);
    }
    for (int64_t budget = 22; budget <= 52; ++budget) {
      expect_equal_to_exhaustive(chain, budget, &feasible, &infeasible);
    }
  }
  EXPECT_GT(feasible, 300);
  EXPECT_GT(infeasible, 100);
}

double seconds_of(const Chain& chain, const std::vector<ChainMove>& moves) {
  double seconds = 0;
  for (const ChainMove& move : moves) {
    const auto& stage = chain.stages[static_cast<size_t>(move.stage)];
    if (move.kind == Kind::forward_save) seconds += stage.options[static_cast<size_t>(move.option)].forward_seconds;
    if (move.kind == Kind::backward) seconds += stage.options[static_cast<size_t>(move.option)].backward_seconds;
    if (move.kind == Kind::forward_drop || move.kind == Kind::forward_keep) seconds += stage.forward_seconds;
  }
  return seconds;
}

/// Sizes and costs far from round numbers, so that every unit rounds.
Chain large_chain(std::mt19937& random, int stages, int options) {
  const auto upto = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  Chain chain;
  for (int i = 0; i < stages; ++i) {
    chain.stages.push_back({.input_bytes = upto(1'000'000, 4'000'000),
                            .forward_seconds = 1e-3 * static_cast<double>(upto(900, 1100)),
                            .forward_temporary = upto(0, 9'000'000)});
  }
  chain.output_bytes = 4;
  for (int i = 0; i < stages; ++i) {
    auto& stage = chain.stages[static_cast<size_t>(i)];
    const int64_t output = i + 1 < stages ? chain.stages[static_cast<size_t>(i) + 1].input_bytes : chain.output_bytes;
    for (int k = 0; k < options; ++k) {
      stage.options.push_back({.saved_bytes = output + upto(2'000'000, 3'000'000) * k,
                               .forward_seconds = stage.forward_seconds,
                               .backward_seconds = stage.forward_seconds * (2 + 1.0 / (k + 1)),
                               .forward_temporary = upto(0, 9'000'000),
                               .backward_temporary = upto(0, 9'000'000)});
    }
  }
  return chain;
}

TEST(SolveChain, SecondsFallWithTheBudgetAndEndWithEachStageOnce) {
  std::mt19937 random(11);
  for (const int stages : {3, 17, 30}) {
    const Chain chain = large_chain(random, stages, 4);
    double ideal = 0;
    for (const auto& stage : chain.stages)
      ideal += stage.options[3].forward_seconds + stage.options[3].backward_seconds;
    const int64_t all = budget_range(chain).second + 20'000'000;
    double before = std::numeric_limits<double>::infinity();
    int absent = 0;
    int replaying = 0;
    for (int part = 1; part <= 50; ++part) {
      const int64_t budget = all * part / 50;
      const auto plan = solve_chain(chain, budget, 128);
      if (!plan) {
        EXPECT_EQ(before, std::numeric_limits<double>::infinity()) << "feasible below " << budget;
        ++absent;
        continue;
      }
      EXPECT_LE(plan->seconds, before) << stages << " stages, budget " << budget;
      EXPECT_NEAR(plan->seconds, seconds_of(chain, plan->moves), 1e-9);
      EXPECT_LE(chain_peak(chain, plan->moves), budget);
      replaying += plan->seconds > ideal + 1e-9;
      before = plan->seconds;
    }
    EXPECT_GT(absent, 0);
    EXPECT_GT(replaying, 10);
    const auto unlimited = solve_chain(chain, std::numeric_limits<int64_t>::max(), 128);
    ASSERT_TRUE(unlimited);
    EXPECT_NEAR(unlimited->seconds, ideal, 1e-9);
    EXPECT_EQ(unlimited->moves.size(), 2 * chain.stages.size());
  }
}

TEST(SolveChain, RoundingCostsLittle) {
  std::mt19937 random(13);
  const Chain chain = large_chain(random, 24, 4);
  const int64_t all = budget_range(chain).second;
  for (const int part : {15, 30, 50}) {
    const auto coarse = solve_chain(chain, all * part / 100, 512);
    const auto fine = solve_chain(chain, all * part / 100, 8192);
    ASSERT_TRUE(coarse && fine) << part;
    EXPECT_LE(coarse->seconds, fine->seconds * 1.01) << part;
    EXPECT_GE(coarse->seconds, fine->seconds - 1e-9) << part;
  }
}

TEST(SolveChain, RefusesWhatIsNoChain) {
  Chain chain = uniform_chain(2, 3);
  EXPECT_TRUE(solve_chain(Chain{}, 10));
  chain.stages[1].options.clear();
  EXPECT_EQ(error_of([&] { solve_chain(chain, 100); }), "rematerialisation: stage 1 of a chain has no option");
  chain.stages[1].options = {{-1}};
  EXPECT_EQ(error_of([&] { solve_chain(chain, 100); }),
            "rematerialisation: stage 1 of a chain has negative bytes or seconds");
}

TEST(ChainPeak, CountsWhatIsHeld) {
  Chain chain;
  chain.stages = {{.input_bytes = 10, .forward_temporary = 3, .options = {{27, 0, 0, 1, 2}}},
                  {.input_bytes = 20, .forward_temporary = 4, .options = {{35, 0, 0, 5, 100}}}};
  chain.output_bytes = 5;
  // 10 + 20 + 3; 30 + 35 + 5; 65 + 5 + 20 + 100; 10 + 20 + 27 + 1; 57 + 10 + 2.
  const std::vector<ChainMove> again = {{Kind::forward_keep, 0},
                                        {Kind::forward_save, 1},
                                        {Kind::backward, 1},
                                        {Kind::forward_save, 0},
                                        {Kind::backward, 0}};
  EXPECT_EQ(chain_peak(chain, again), 190);
  chain.stages[1].options[0].backward_temporary = 0;
  EXPECT_EQ(chain_peak(chain, again), 90);
  // All kept: 10 + 27 + 35 + 5, and the two gradients of the last stage.
  const std::vector<ChainMove> once = {
      {Kind::forward_save, 0}, {Kind::forward_save, 1}, {Kind::backward, 1}, {Kind::backward, 0}};
  EXPECT_EQ(chain_peak(chain, once), 97);
}

TEST(ChainPeak, RefusesImpossibleMoves) {
  const Chain chain = uniform_chain(2, 3);
  const auto error = [&](std::vector<ChainMove> moves) { return error_of([&] { chain_peak(chain, moves); }); };
  const std::string of = "rematerialisation: ";
  EXPECT_EQ(error({{Kind::forward_keep, 2}}), of + "forward_keep of stage 2 is not possible: there is no such stage");
  EXPECT_EQ(error({{Kind::forward_keep, 1}}), of + "forward_keep of stage 1 is not possible: its input is not there");
  EXPECT_EQ(error({{Kind::forward_drop, 0}, {Kind::forward_keep, 0}}),
            of + "forward_keep of stage 0 is not possible: its input is not there");
  EXPECT_EQ(error({{Kind::forward_keep, 0}, {Kind::forward_keep, 0}}),
            of + "forward_keep of stage 0 is not possible: its output is already held");
  EXPECT_EQ(error({{Kind::forward_save, 0}, {Kind::forward_drop, 1}}),
            of + "forward_drop of stage 1 is not possible: its input belongs to what the stage before has saved");
  EXPECT_EQ(error({{Kind::forward_save, 0, 1}}),
            of + "forward_save of stage 0 is not possible: there is no such option");
  EXPECT_EQ(error({{Kind::forward_save, 0}, {Kind::backward, 0}}),
            of + "backward of stage 0 is not possible: the gradient has come as far as stage 1");
  EXPECT_EQ(error({{Kind::forward_keep, 0}, {Kind::backward, 1}}),
            of + "backward of stage 1 is not possible: it was not run forward under this option");
  EXPECT_EQ(error({{Kind::forward_save, 0}, {Kind::forward_save, 1}, {Kind::backward, 1}}),
            of + "the moves of a chain end before the backward part of stage 0");
}

}  // namespace
}  // namespace sesame::remat
