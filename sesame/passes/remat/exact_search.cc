#include "sesame/passes/remat/exact_search.h"

#include <algorithm>
#include <bit>
#include <queue>
#include <unordered_map>

namespace sesame::remat {
namespace {

constexpr int kMostNodes = 16;
constexpr int kMostValues = 40;

class BestFirst {
 public:
  BestFirst(const Problem& problem, int64_t budget) : problem_(problem), budget_(budget) {
    for (size_t v = 0; v < problem.values.size(); ++v) {
      if (problem.values[v].producer < 0) start_.held |= bit(v);
      if (problem.values[v].kept_to_end) results_ |= bit(v);
    }
    for (const auto& node : problem.nodes) {
      inputs_.push_back(mask(node.inputs));
      outputs_.push_back(mask(node.outputs));
      uint64_t givers = 0;
      for (const auto& [output, input] : node.in_place) givers |= bit(static_cast<size_t>(input));
      givers_.push_back(givers);
    }
  }

  ExactSearch run(size_t most_states) {
    reach(start_, 0, start_, -1);
    while (!queue_.empty()) {
      const Entry entry = queue_.top();
      queue_.pop();
      const Reached reached = reached_.at(entry.state);
      if (reached.expanded) continue;
      reached_[entry.state].expanded = true;
      if (finished(entry.state)) return {true, path_to(entry.state)};
      if (reached_.size() > most_states) return {};
      expand(entry.state, reached.seconds);
    }
    return {true, std::nullopt};
  }

 private:
  struct State {
    uint64_t done = 0;  // nodes
    uint64_t held = 0;  // values
    bool operator==(const State&) const = default;
  };
  struct Hash {
    size_t operator()(const State& s) const {
      uint64_t h = (s.held ^ s.done << 44) * 0x9e3779b97f4a7c15u;
      h ^= h >> 29;
      return static_cast<size_t>(h * 0xbf58476d1ce4e5b9u >> 8);
    }
  };
  struct Reached {
    double seconds = 0;
    State before;
    int32_t node = -1;  // that ran in between; -1: values were freed
    bool expanded = false;
  };
  struct Entry {
    double least;  // seconds of any execution by way of the state
    int done;
    State state;
    bool operator<(const Entry& other) const { return least != other.least ? least > other.least : done < other.done; }
  };

  static uint64_t bit(size_t i) { return uint64_t{1} << i; }
  static uint64_t mask(const std::vector<int32_t>& values) {
    uint64_t mask = 0;
    for (const int32_t v : values) mask |= bit(static_cast<size_t>(v));
    return mask;
  }

  [[nodiscard]] int64_t bytes(uint64_t values) const {
    int64_t sum = 0;
    for (; values != 0; values &= values - 1) {
      sum += problem_.values[static_cast<size_t>(std::countr_zero(values))].bytes;
    }
    return sum;
  }

  [[nodiscard]] bool finished(const State& state) const {
    return state.done == bit(problem_.nodes.size()) - 1 && (results_ & ~state.held) == 0;
  }

  void reach(const State& state, double seconds, const State& before, int32_t node) {
    const auto [known, added] = reached_.try_emplace(state, Reached{seconds, before, node});
    if (!added) {
      if (known->second.expanded || known->second.seconds <= seconds) return;
      known->second = {seconds, before, node};
    }
    double to_go = 0;
    for (size_t n = 0; n < problem_.nodes.size(); ++n) {
      if ((state.done & bit(n)) == 0) to_go += problem_.nodes[n].seconds;
    }
    queue_.push({seconds + to_go, std::popcount(state.done), state});
  }

  void expand(const State& state, double seconds) {
    for (uint64_t rest = state.held; rest != 0; rest &= rest - 1) {
      reach({state.done, state.held & ~(rest & -rest)}, seconds, state, -1);
    }
    for (size_t n = 0; n < problem_.nodes.size(); ++n) {
      if (may_run(state, n)) run_node(state, seconds, n);
    }
  }

  [[nodiscard]] bool may_run(const State& state, size_t n) const {
    const bool again = (state.done & bit(n)) != 0;
    // What is held is freed before it is computed again; a node without outputs has nothing to run for twice.
    if ((inputs_[n] & ~state.held) != 0 || (outputs_[n] & state.held) != 0 || (again && outputs_[n] == 0)) return false;
    if (!problem_.nodes[n].once) return true;
    for (size_t other = n; other < problem_.nodes.size(); ++other) {
      if (problem_.nodes[other].once && (state.done & bit(other)) != 0) return false;
    }
    return true;
  }

  /// Each set of the inputs that can be written over may end here.
  void run_node(const State& state, double seconds, size_t n) {
    const Problem::Node& node = problem_.nodes[n];
    const int64_t full = problem_.fixed_bytes + bytes(state.held | outputs_[n]) + node.workspace;
    for (uint64_t ending = givers_[n];; ending = (ending - 1) & givers_[n]) {
      if (full - shared_bytes(node, ending) <= budget_) {
        const State next{state.done | bit(n), (state.held | outputs_[n]) & ~ending};
        reach(next, seconds + node.seconds, state, static_cast<int32_t>(n));
      }
      if (ending == 0) break;
    }
  }

  [[nodiscard]] int64_t shared_bytes(const Problem::Node& node, uint64_t ending) const {
    int64_t sum = 0;
    uint64_t placed = 0;
    for (const auto& [output, input] : node.in_place) {
      const uint64_t pair = bit(static_cast<size_t>(output)) | bit(static_cast<size_t>(input));
      const int64_t shared = std::min(problem_.values[static_cast<size_t>(output)].bytes,
                                      problem_.values[static_cast<size_t>(input)].bytes);
      if ((ending & bit(static_cast<size_t>(input))) == 0 || (placed & pair) != 0 || shared == 0) continue;
      placed |= pair;
      sum += shared;
    }
    return sum;
  }

  [[nodiscard]] Sequence path_to(State state) const {
    Sequence sequence;
    while (!(state == start_)) {
      const Reached& reached = reached_.at(state);
      if (reached.node >= 0) sequence.push_back(reached.node);
      state = reached.before;
    }
    std::reverse(sequence.begin(), sequence.end());
    return sequence;
  }

  const Problem& problem_;
  const int64_t budget_;
  State start_;
  uint64_t results_ = 0;
  std::vector<uint64_t> inputs_;   // per node
  std::vector<uint64_t> outputs_;  // per node
  std::vector<uint64_t> givers_;   // per node: inputs that an output may take over
  std::unordered_map<State, Reached, Hash> reached_;
  std::priority_queue<Entry> queue_;
};

}  // namespace

ExactSearch exact_search(const Problem& problem, int64_t budget, size_t most_states) {
  if (problem.nodes.size() > kMostNodes || problem.values.size() > kMostValues) return {};
  ExactSearch result = BestFirst(problem, budget).run(most_states);
  // Where inputs of different sizes could be taken over, the one that counts may be another than the search chose.
  if (result.sequence && simulate(problem, *result.sequence).peak_bytes > budget) return {};
  return result;
}

}  // namespace sesame::remat
