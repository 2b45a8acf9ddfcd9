#include "sesame/passes/remat/sequence_cost.h"

#include <algorithm>

namespace sesame::remat {
namespace {

size_t index(int32_t i) { return static_cast<size_t>(i); }

}  // namespace

SequenceCost::SequenceCost(const Problem& problem, int64_t budget)
    : problem_(problem),
      budget_(budget),
      current_(problem.values.size()),
      runs_(problem.nodes.size()),
      recomputable_(problem.values.size(), false) {
  for (size_t v = 0; v < problem.values.size(); ++v) {
    const int32_t producer = problem.values[v].producer;
    recomputable_[v] = producer >= 0 && !problem.nodes[index(producer)].once;
  }
}

SequenceCost::Score SequenceCost::evaluate(const Sequence& sequence) {
  std::fill(current_.begin(), current_.end(), -1);
  std::fill(runs_.begin(), runs_.end(), 0);
  lives_.clear();
  first_lives_.clear();
  gaps_.clear();
  takeovers_.clear();
  latest_once_ = -1;
  for (size_t v = 0; v < problem_.values.size(); ++v) {
    if (problem_.values[v].producer < 0) begin(static_cast<int32_t>(v), 0);
  }
  Score score;
  for (size_t p = 0; p < sequence.size(); ++p) {
    if (!run(static_cast<int32_t>(p), sequence[p])) return {};
    score.seconds += problem_.nodes[index(sequence[p])].seconds;
  }
  if (!close_at_end(static_cast<int32_t>(sequence.size()))) return {};
  add_up(sequence);
  score.legal = true;
  score.peak_bytes = problem_.fixed_bytes;
  for (const int64_t bytes : timeline_) {
    score.peak_bytes = std::max(score.peak_bytes, bytes);
    score.excess += static_cast<double>(std::max<int64_t>(0, bytes - budget_));
  }
  return score;
}

bool SequenceCost::run(int32_t position, int32_t number) {
  const Problem::Node& node = problem_.nodes[index(number)];
  if (node.once) {
    if (runs_[index(number)] > 0 || number < latest_once_) return false;
    latest_once_ = number;
  }
  ++runs_[index(number)];
  for (const int32_t input : node.inputs) {
    const int32_t life = current_[index(input)];
    if (life < 0) return false;
    use(life, position);
  }
  const size_t takeovers = takeovers_.size();
  for (const auto& [output, input] : node.in_place) takeovers_.push_back({position, output, current_[index(input)]});
  first_lives_.push_back(static_cast<int32_t>(lives_.size()));
  for (const int32_t output : node.outputs) begin(output, position);
  for (size_t t = takeovers; t < takeovers_.size(); ++t) {
    takeovers_[t].output_life = current_[index(takeovers_[t].output_life)];
  }
  return true;
}

bool SequenceCost::close_at_end(int32_t length) {
  if (std::find(runs_.begin(), runs_.end(), 0) != runs_.end()) return false;
  for (size_t v = 0; v < problem_.values.size(); ++v) {
    if (problem_.values[v].kept_to_end) use(current_[v], length);
  }
  return true;
}

void SequenceCost::begin(int32_t value, int32_t position) {
  current_[index(value)] = static_cast<int32_t>(lives_.size());
  lives_.push_back({value, position, position, 0});
}

void SequenceCost::use(int32_t number, int32_t position) {
  Life& life = lives_[index(number)];
  const bool worth = recomputable_[index(life.value)] && problem_.values[index(life.value)].bytes > 0;
  if (worth && position - life.last > 1) gaps_.push_back({life.value, life.last, position});
  life.last = position;
  ++life.reads;
}

void SequenceCost::add_up(const Sequence& sequence) {
  const size_t length = sequence.size();
  timeline_.assign(length + 2, 0);  // first as changes; a life may end at `length`
  for (const Life& life : lives_) {
    const int64_t bytes = problem_.values[index(life.value)].bytes;
    timeline_[index(life.first)] += bytes;
    timeline_[index(life.last) + 1] -= bytes;
  }
  int64_t live = problem_.fixed_bytes;
  for (size_t p = 0; p < length; ++p) {
    live += timeline_[p];
    timeline_[p] = live + problem_.nodes[index(sequence[p])].workspace;
  }
  timeline_.resize(length);
  if (takeovers_.empty()) return;
  given_.assign(lives_.size(), 0);
  placed_.assign(lives_.size(), 0);
  for (const Takeover& t : takeovers_) {
    const Life& input = lives_[index(t.input_life)];
    if (input.last != t.position || given_[index(t.input_life)] != 0 || placed_[index(t.output_life)] != 0) continue;
    const Life& output = lives_[index(t.output_life)];
    const int64_t shared =
        std::min(problem_.values[index(input.value)].bytes, problem_.values[index(output.value)].bytes);
    if (shared == 0) continue;
    given_[index(t.input_life)] = placed_[index(t.output_life)] = 1;
    timeline_[index(t.position)] -= shared;
  }
}

}  // namespace sesame::remat
