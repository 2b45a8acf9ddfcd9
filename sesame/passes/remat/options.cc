#include "sesame/passes/remat/options.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sesame/passes/remat/free_replays.h"
#include "sesame/passes/remat/sequence_writer.h"

namespace sesame::remat {
namespace {

constexpr size_t kMostChoices = 8;  // of what to save; each with up to three degrees of thrift
constexpr size_t kEnumerated = 10;  // nodes whose every subset is looked at

size_t index(int32_t i) { return static_cast<size_t>(i); }

/// What is saved, and what is therefore computed again.
struct Choice {
  std::vector<int32_t> saved;
  std::vector<int32_t> replayed;  // nodes
  int64_t bytes = 0;
  double seconds = 0;
};

/// Part of a problem as a problem of its own: given nodes, and what they read from elsewhere as there from the start.
class Part {
 public:
  explicit Part(const Problem& whole) : whole_(whole), number_(whole.values.size(), -1) {}

  /// A value that is there before the first node.
  void add_given(int32_t value, int64_t bytes) { number_of(value, bytes); }

  void add_node(int32_t node, const std::vector<bool>& pinned) {
    const Problem::Node& from = whole_.nodes[index(node)];
    Problem::Node made = from;
    const auto number = static_cast<int32_t>(part_.nodes.size());
    for (int32_t& v : made.inputs) v = number_of(v, pinned[index(v)] ? 0 : whole_.values[index(v)].bytes);
    for (int32_t& v : made.outputs) {
      const int64_t bytes = pinned[index(v)] ? 0 : whole_.values[index(v)].bytes;
      const bool kept_to_end = whole_.values[index(v)].kept_to_end;
      v = number_of(v, bytes);
      part_.values[index(v)].producer = number;
      part_.values[index(v)].kept_to_end = kept_to_end;
    }
    std::erase_if(made.in_place,
                  [&](const auto& pair) { return pinned[index(pair.first)] || pinned[index(pair.second)]; });
    for (auto& [output, input] : made.in_place) {
      output = number_[index(output)];
      input = number_[index(input)];
    }
    part_.nodes.push_back(std::move(made));
  }

  void keep(int32_t value) {
    if (number_[index(value)] >= 0) part_.values[index(number_[index(value)])].kept_to_end = true;
  }

  [[nodiscard]] const Problem& problem() const { return part_; }

 private:
  int32_t number_of(int32_t value, int64_t bytes) {
    int32_t& number = number_[index(value)];
    if (number < 0) {
      number = static_cast<int32_t>(part_.values.size());
      part_.values.push_back({.bytes = bytes});
    }
    return number;
  }

  const Problem& whole_;
  Problem part_;
  std::vector<int32_t> number_;
};

class StageOptions {
 public:
  StageOptions(const GraphProblem& p, const Stages& stages, size_t stage)
      : p_(p), stages_(stages), stage_(stages.stages[stage]), always_there_(p.value.size(), false) {
    for (const int32_t v : stage_.output) always_there_[index(v)] = true;
    for (const int32_t b : stage_.backward) {
      for (const int32_t v : node(b).inputs) {
        if (needs_saving(v) && std::ranges::find(wanted_, v) == wanted_.end()) wanted_.push_back(v);
      }
    }
  }

  Chain::Stage run(std::vector<StageOption>& options) {
    Chain::Stage made;
    made.input_bytes = bytes_of(stage_.input);
    for (int32_t n = stage_.first; n < stage_.last; ++n) made.forward_seconds += node(n).seconds;
    made.forward_temporary = forward_temporary({});
    for (const Choice& choice : pareto(choices())) {
      Footprint best{.peak_bytes = std::numeric_limits<int64_t>::max()};
      for (const Thrift thrift : {Thrift::none, Thrift::cheap_nodes, Thrift::everything}) {
        const Footprint backward = run_backward(choice, thrift);
        if (backward.peak_bytes >= best.peak_bytes) continue;
        best = backward;
        made.options.push_back({.saved_bytes = choice.bytes + bytes_of(stage_.output),
                                .forward_seconds = made.forward_seconds,
                                .backward_seconds = backward.seconds,
                                .forward_temporary = forward_temporary(choice.saved),
                                .backward_temporary = backward.peak_bytes});
        options.push_back({choice.saved, thrift});
        if (backward.peak_bytes == 0) break;
      }
    }
    return made;
  }

 private:
  [[nodiscard]] const Problem::Node& node(int32_t n) const { return p_.problem.nodes[index(n)]; }
  [[nodiscard]] int32_t producer(int32_t v) const { return p_.problem.values[index(v)].producer; }
  [[nodiscard]] int64_t bytes_of(const std::vector<int32_t>& values) const {
    int64_t bytes = 0;
    for (const int32_t v : values) bytes += p_.problem.values[index(v)].bytes;
    return bytes;
  }
  /// Values of the stage that are gone after its forward part unless they are saved.
  [[nodiscard]] bool needs_saving(int32_t v) const {
    return producer(v) >= stage_.first && producer(v) < stage_.last && !stages_.pinned[index(v)] &&
           !always_there_[index(v)];
  }

  /// The choice in which the nodes for which `replay` holds run again if need be.
  template <typename Replay>
  Choice choose(Replay replay) const {
    Choice choice;
    std::vector<bool> needed(p_.value.size(), false);
    for (const int32_t v : wanted_) needed[index(v)] = true;
    for (int32_t n = stage_.last - 1; n >= stage_.first; --n) {
      const auto is_needed = [&](int32_t v) { return needed[index(v)]; };
      if (std::ranges::none_of(node(n).outputs, is_needed)) continue;
      if (!node(n).once && replay(n)) {
        choice.replayed.push_back(n);
        choice.seconds += node(n).seconds;
        for (const int32_t v : node(n).inputs) {
          if (needs_saving(v)) needed[index(v)] = true;
        }
      } else {
        std::ranges::copy_if(node(n).outputs, std::back_inserter(choice.saved), is_needed);
      }
    }
    std::ranges::reverse(choice.replayed);
    choice.bytes = bytes_of(choice.saved);
    return choice;
  }

  [[nodiscard]] std::vector<Choice> choices() const {
    const std::vector<int32_t> nodes = choose([](int32_t) { return true; }).replayed;
    std::vector<Choice> all;
    if (nodes.size() <= kEnumerated) {
      for (uint32_t set = 0; set < (1u << nodes.size()); ++set) {
        all.push_back(choose([&](int32_t n) {
          const auto place = std::ranges::find(nodes, n);
          return place != nodes.end() && (set >> (place - nodes.begin()) & 1u) != 0;
        }));
      }
      return all;
    }
    all.push_back(choose([](int32_t) { return false; }));
    all.push_back(choose([](int32_t) { return true; }));
    double seconds = 0;
    for (const int32_t n : nodes) seconds += node(n).seconds;
    const double bytes = static_cast<double>(std::max<int64_t>(all.front().bytes, 1));
    for (int power = -12; power <= 12; ++power) {
      const double price = bytes / seconds * std::pow(2.0, power);  // bytes that a second is worth
      std::vector<double> costs;
      for (const int32_t n : nodes) costs.push_back(price * node(n).seconds);
      const std::vector<bool> kept = cheapest_to_keep(p_.problem, nodes, wanted_, costs);
      all.push_back(choose(
          [&](int32_t n) { return std::ranges::none_of(node(n).outputs, [&](int32_t v) { return kept[index(v)]; }); }));
    }
    return all;
  }

  static std::vector<Choice> pareto(std::vector<Choice> all) {
    std::ranges::stable_sort(all, [](const Choice& a, const Choice& b) {
      return a.bytes != b.bytes ? a.bytes < b.bytes : a.seconds < b.seconds;
    });
    std::vector<Choice> front;
    for (Choice& choice : all) {
      if (front.empty() || choice.seconds < front.back().seconds) front.push_back(std::move(choice));
    }
    while (front.size() > kMostChoices) {  // the one that saves the fewest bytes over its neighbour goes
      size_t least = 1;
      for (size_t i = 1; i + 1 < front.size(); ++i) {
        if (front[i].bytes - front[i - 1].bytes < front[least].bytes - front[least - 1].bytes) least = i;
      }
      front.erase(front.begin() + static_cast<std::ptrdiff_t>(least));
    }
    return front;
  }

  /// Bytes beyond input, what is saved, and output, while the forward part runs.
  [[nodiscard]] int64_t forward_temporary(const std::vector<int32_t>& saved) const {
    Part part(p_.problem);
    for (const int32_t v : stage_.input) part.add_given(v, 0);
    for (int32_t n = stage_.first; n < stage_.last; ++n) part.add_node(n, stages_.pinned);
    for (const int32_t v : saved) part.keep(v);
    for (const int32_t v : stage_.output) part.keep(v);
    const int64_t peak = simulate(part.problem(), in_order(part.problem())).peak_bytes;
    return std::max<int64_t>(0, peak - bytes_of(saved) - bytes_of(stage_.output));
  }

  /// The backward part: seconds, and bytes beyond input, what is saved, output, and the gradients of input and output.
  [[nodiscard]] Footprint run_backward(const Choice& choice, Thrift thrift) const {
    Part part(p_.problem);
    for (const int32_t v : stage_.input) part.add_given(v, 0);
    for (const int32_t v : stage_.output) part.add_given(v, 0);
    for (const int32_t v : choice.saved) part.add_given(v, p_.problem.values[index(v)].bytes);
    std::vector<bool> made_here(p_.value.size(), false);
    for (const int32_t n : choice.replayed) add_to(part, n, made_here);
    for (const int32_t n : stage_.backward) add_to(part, n, made_here);
    keep_gradients(part, made_here);
    SequenceWriter writer(part.problem());
    const auto replays = static_cast<int32_t>(choice.replayed.size());
    for (int32_t i = 0; i < static_cast<int32_t>(stage_.backward.size()); ++i) {
      writer.run(replays + i);
      for (int32_t r = 0; r < replays; ++r) {
        if (!forgotten_after_use(p_, choice.replayed[index(r)], thrift)) continue;
        for (const int32_t v : part.problem().nodes[index(r)].outputs) {
          if (part.problem().values[index(v)].producer == r) writer.forget(v);
        }
      }
    }
    Footprint footprint = simulate(part.problem(), writer.finish());
    const int64_t counted = choice.bytes + bytes_of(stage_.input) + bytes_of(stage_.output);
    footprint.peak_bytes = std::max<int64_t>(0, footprint.peak_bytes - counted);
    return footprint;
  }

  void add_to(Part& part, int32_t n, std::vector<bool>& made_here) const {
    part.add_node(n, stages_.pinned);
    for (const int32_t v : node(n).outputs) made_here[index(v)] = true;
  }

  /// What later stages' backward parts read stays.
  void keep_gradients(Part& part, const std::vector<bool>& made_here) const {
    for (const auto& other : stages_.stages) {
      if (&other == &stage_) break;  // stages before this one run their backward part later
      for (const int32_t n : other.backward) {
        for (const int32_t v : node(n).inputs) {
          if (made_here[index(v)] && !p_.is_forward(producer(v))) part.keep(v);
        }
      }
    }
  }

  const GraphProblem& p_;
  const Stages& stages_;
  const Stages::Stage& stage_;
  std::vector<bool> always_there_;
  std::vector<int32_t> wanted_;
};

}  // namespace

bool forgotten_after_use(const GraphProblem& problem, int32_t node, Thrift thrift) {
  return thrift == Thrift::everything || (thrift == Thrift::cheap_nodes && problem.cheap[index(node)]);
}

ChainOfStages chain_of(const GraphProblem& problem, const Stages& stages) {
  ChainOfStages result;
  for (size_t s = 0; s < stages.stages.size(); ++s) {
    result.options.emplace_back();
    result.chain.stages.push_back(StageOptions(problem, stages, s).run(result.options.back()));
  }
  return result;
}

}  // namespace sesame::remat
