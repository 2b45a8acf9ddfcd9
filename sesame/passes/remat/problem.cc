#include "sesame/passes/remat/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sesame/base/error.h"

namespace sesame::remat {
namespace {

/// What one run of a node (or the start of the step) leaves of one value.
struct Life {
  int32_t value;
  int32_t first;  // position of the run
  int32_t last;   // position of the last read; the length of the sequence: it outlasts the step
};

/// Follows a sequence: which lives there are, and which outputs might take over an input's bytes.
class Execution {
 public:
  Execution(const Problem& problem, const Sequence& sequence)
      : problem_(problem),
        sequence_(sequence),
        current_(problem.values.size(), kNever),
        runs_(problem.nodes.size(), 0) {
    for (size_t v = 0; v < problem.values.size(); ++v) {
      if (problem.values[v].producer < 0) begin(static_cast<int32_t>(v), 0);
    }
    for (size_t p = 0; p < sequence.size(); ++p) run(static_cast<int32_t>(p));
    for (size_t n = 0; n < runs_.size(); ++n) {
      if (runs_[n] == 0) fail(fmt::format("rematerialisation: node {} never runs", n));
    }
    for (size_t v = 0; v < problem.values.size(); ++v) {
      if (problem.values[v].kept_to_end) lives_[index(current_[v])].last = static_cast<int32_t>(sequence.size());
    }
  }

  [[nodiscard]] std::vector<int64_t> timeline() const {
    const size_t length = sequence_.size();
    std::vector<int64_t> bytes(length + 2, 0);  // first as changes; a life may end at `length`
    for (const Life& life : lives_) {
      bytes[index(life.first)] += bytes_of(life.value);
      bytes[index(life.last) + 1] -= bytes_of(life.value);
    }
    std::partial_sum(bytes.begin(), bytes.end(), bytes.begin());
    bytes.resize(length);
    for (size_t p = 0; p < length; ++p) {
      bytes[p] += problem_.fixed_bytes + problem_.nodes[index(sequence_[p])].workspace;
    }
    subtract_takeovers(bytes);
    return bytes;
  }

 private:
  static constexpr int32_t kNever = -1;
  struct Takeover {
    int32_t position;
    int32_t output_life;
    int32_t input_life;
  };

  static size_t index(int32_t i) { return static_cast<size_t>(i); }
  [[nodiscard]] int64_t bytes_of(int32_t value) const { return problem_.values[index(value)].bytes; }

  void begin(int32_t value, int32_t position) {
    current_[index(value)] = static_cast<int32_t>(lives_.size());
    lives_.push_back({value, position, position});
  }

  void run(int32_t position) {
    const int32_t number = sequence_[index(position)];
    if (number < 0 || index(number) >= problem_.nodes.size()) {
      fail(fmt::format("rematerialisation: node {} at position {} is not one of {}", number, position,
                       problem_.nodes.size()));
    }
    const Problem::Node& node = problem_.nodes[index(number)];
    if (node.once) check_once(number, position);
    ++runs_[index(number)];
    for (const int32_t input : node.inputs) {
      const int32_t life = current_[index(input)];
      if (life == kNever) {
        fail(fmt::format("rematerialisation: node {} at position {} reads value {} before node {} has computed it",
                         number, position, input, problem_.values[index(input)].producer));
      }
      lives_[index(life)].last = position;
    }
    std::vector<std::pair<int32_t, int32_t>> candidates;  // output, life of the input
    for (const auto& [output, input] : node.in_place) candidates.emplace_back(output, current_[index(input)]);
    for (const int32_t output : node.outputs) begin(output, position);
    for (const auto& [output, life] : candidates) takeovers_.push_back({position, current_[index(output)], life});
  }

  void check_once(int32_t number, int32_t position) {
    if (runs_[index(number)] > 0) {
      fail(fmt::format("rematerialisation: node {} changes a variable and runs a second time at position {}", number,
                       position));
    }
    if (number < latest_once_) {
      fail(fmt::format("rematerialisation: node {} changes a variable and runs at position {}, after node {}", number,
                       position, latest_once_));
    }
    latest_once_ = number;
  }

  void subtract_takeovers(std::vector<int64_t>& bytes) const {
    std::vector<bool> given(lives_.size(), false);
    std::vector<bool> placed(lives_.size(), false);
    for (const Takeover& t : takeovers_) {
      const Life& input = lives_[index(t.input_life)];
      const int64_t shared = std::min(bytes_of(input.value), bytes_of(lives_[index(t.output_life)].value));
      const bool dies_here = input.last == t.position;
      if (!dies_here || shared == 0 || given[index(t.input_life)] || placed[index(t.output_life)]) continue;
      given[index(t.input_life)] = placed[index(t.output_life)] = true;
      bytes[index(t.position)] -= shared;
    }
  }

  const Problem& problem_;
  const Sequence& sequence_;
  std::vector<int32_t> current_;  // per value: its latest life
  std::vector<int32_t> runs_;     // per node
  std::vector<Life> lives_;
  std::vector<Takeover> takeovers_;
  int32_t latest_once_ = -1;
};

}  // namespace

Sequence in_order(const Problem& problem) {
  Sequence sequence(problem.nodes.size());
  std::iota(sequence.begin(), sequence.end(), 0);
  return sequence;
}

Footprint simulate(const Problem& problem, const Sequence& sequence) {
  const std::vector<int64_t> bytes = timeline(problem, sequence);
  Footprint footprint{.peak_bytes = problem.fixed_bytes};
  for (const int32_t node : sequence) footprint.seconds += problem.nodes[static_cast<size_t>(node)].seconds;
  if (bytes.empty()) return footprint;
  const auto peak = std::max_element(bytes.begin(), bytes.end());
  footprint.peak_bytes = *peak;
  footprint.peak_position = static_cast<int32_t>(peak - bytes.begin());
  return footprint;
}

std::vector<int64_t> timeline(const Problem& problem, const Sequence& sequence) {
  return Execution(problem, sequence).timeline();
}

}  // namespace sesame::remat
