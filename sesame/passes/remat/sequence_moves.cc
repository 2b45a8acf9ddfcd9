#include "sesame/passes/remat/sequence_moves.h"

#include <algorithm>
#include <cmath>

namespace sesame::remat {
namespace {

/// Deeper recomputation than this is never worth it; it bounds the recursion.
constexpr int kDeepest = 400;

size_t index(int32_t i) { return static_cast<size_t>(i); }

bool contains(const std::vector<int32_t>& values, int32_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

}  // namespace

SequenceMoves::SequenceMoves(const Problem& problem)
    : problem_(problem), slot_(problem.values.size(), 0), planned_(problem.nodes.size(), 0) {
  for (const auto& node : problem.nodes) {
    for (size_t o = 0; o < node.outputs.size(); ++o) slot_[index(node.outputs[o])] = static_cast<int32_t>(o);
  }
}

void SequenceMoves::look_at(const Sequence& sequence, const SequenceCost& cost) {
  sequence_ = &sequence;
  cost_ = &cost;
  last_run_.assign(problem_.nodes.size(), -1);
  run_before_.resize(sequence.size());
  over_.assign(1, 0);
  for (size_t p = 0; p < sequence.size(); ++p) {
    int32_t& last = last_run_[index(sequence[p])];
    run_before_[p] = last;
    last = static_cast<int32_t>(p);
    over_.push_back(over_.back() + (cost.timeline()[p] > cost.budget() ? 1 : 0));
  }
}

int32_t SequenceMoves::positions_over(int32_t from, int32_t to) const {
  return from < to ? over_[index(to)] - over_[index(from)] : 0;
}

int32_t SequenceMoves::latest_run(int32_t node, int32_t position) const {
  int32_t run = last_run_[index(node)];
  while (run >= position) run = run_before_[index(run)];
  return run;
}

const std::vector<int32_t>& SequenceMoves::replays_for(const SequenceCost::Gap& gap, int64_t hold_bytes) {
  replays_.clear();
  held_on_ = 0;
  const bool possible = plan(problem_.values[index(gap.value)].producer, gap.to, hold_bytes, 0);
  for (const int32_t node : replays_) planned_[index(node)] = 0;
  if (!possible) replays_.clear();
  return replays_;
}

bool SequenceMoves::plan(int32_t number, int32_t position, int64_t hold_bytes, int depth) {
  const Problem::Node& node = problem_.nodes[index(number)];
  if (planned_[index(number)] != 0) return true;
  if (node.once || depth > kDeepest) return false;
  for (const int32_t input : node.inputs) {
    const Problem::Value& value = problem_.values[index(input)];
    int32_t last = static_cast<int32_t>(sequence_->size());
    if (value.producer >= 0) {
      const int32_t run = latest_run(value.producer, position);
      if (run < 0) return false;
      last = cost_->lives()[index(cost_->first_lives()[index(run)] + slot_[index(input)])].last;
    }
    if (last >= position || value.bytes == 0 || planned_[index(value.producer)] != 0) continue;
    const int32_t over = positions_over(last + 1, position);
    const bool hold = value.bytes <= hold_bytes || problem_.nodes[index(value.producer)].once;
    if (hold) {
      held_on_ += static_cast<double>(value.bytes) * over;
    } else if (!plan(value.producer, position, hold_bytes, depth + 1)) {
      return false;
    }
  }
  planned_[index(number)] = 1;
  replays_.push_back(number);
  return true;
}

double SequenceMoves::added_seconds(const SequenceCost::Gap& gap) const {
  double seconds = 0;
  for (const int32_t node : replays_) seconds += problem_.nodes[index(node)].seconds;
  const int32_t producer = problem_.values[index(gap.value)].producer;
  // Computed and not read before the gap: it is only put off.
  if ((*sequence_)[index(gap.from)] == producer) seconds -= problem_.nodes[index(producer)].seconds;
  return seconds;
}

void SequenceMoves::insert(int32_t position, const std::vector<int32_t>& nodes, Sequence& out) {
  out.assign(sequence_->begin(), sequence_->begin() + position);
  out.insert(out.end(), nodes.begin(), nodes.end());
  out.insert(out.end(), sequence_->begin() + position, sequence_->end());
  drop_unread(out);
}

void SequenceMoves::remove(int32_t position, Sequence& out) {
  out.assign(sequence_->begin(), sequence_->end());
  out.erase(out.begin() + position);
  drop_unread(out);
}

void SequenceMoves::shift(int32_t position, double where, Sequence& out) {
  const int32_t number = (*sequence_)[index(position)];
  const Problem::Node& node = problem_.nodes[index(number)];
  int32_t earliest = 0;
  for (const int32_t input : node.inputs) {
    const int32_t producer = problem_.values[index(input)].producer;
    if (producer >= 0) earliest = std::max(earliest, latest_run(producer, position) + 1);
  }
  int32_t latest = position;
  const auto reads = [&](int32_t p) {
    const auto& inputs = problem_.nodes[index((*sequence_)[index(p)])].inputs;
    return std::any_of(node.outputs.begin(), node.outputs.end(), [&](int32_t o) { return contains(inputs, o); });
  };
  const auto length = static_cast<int32_t>(sequence_->size());
  while (latest + 1 < length && !reads(latest + 1)) ++latest;
  const auto to = earliest + static_cast<int32_t>(std::lround(where * (latest - earliest)));
  out.assign(sequence_->begin(), sequence_->end());
  const auto at = out.begin() + position;
  if (to < position) std::rotate(out.begin() + to, at, at + 1);
  if (to > position) std::rotate(at, at + 1, out.begin() + to + 1);
  drop_unread(out);
}

void SequenceMoves::drop_unread(Sequence& sequence) {
  latest_.assign(problem_.values.size(), -1);
  left_.assign(problem_.nodes.size(), 0);
  sources_.clear();
  first_source_.clear();
  for (size_t p = 0; p < sequence.size(); ++p) {
    const Problem::Node& node = problem_.nodes[index(sequence[p])];
    first_source_.push_back(static_cast<int32_t>(sources_.size()));
    for (const int32_t input : node.inputs) sources_.push_back(latest_[index(input)]);
    for (const int32_t output : node.outputs) latest_[index(output)] = static_cast<int32_t>(p);
    ++left_[index(sequence[p])];
  }
  first_source_.push_back(static_cast<int32_t>(sources_.size()));
  needed_.assign(sequence.size(), 0);
  for (size_t v = 0; v < latest_.size(); ++v) {
    if (problem_.values[v].kept_to_end && latest_[v] >= 0) needed_[index(latest_[v])] = 1;
  }
  for (size_t p = sequence.size(); p-- > 0;) {
    if (needed_[p] == 0 && left_[index(sequence[p])] > 1) {
      --left_[index(sequence[p])];
      continue;
    }
    needed_[p] = 1;
    for (int32_t s = first_source_[p]; s < first_source_[p + 1]; ++s) {
      if (sources_[index(s)] >= 0) needed_[index(sources_[index(s)])] = 1;
    }
  }
  size_t kept = 0;
  for (size_t p = 0; p < sequence.size(); ++p) {
    if (needed_[p] != 0) sequence[kept++] = sequence[p];
  }
  sequence.resize(kept);
}

}  // namespace sesame::remat
