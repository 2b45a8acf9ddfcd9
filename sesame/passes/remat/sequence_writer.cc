#include "sesame/passes/remat/sequence_writer.h"

#include <algorithm>

namespace sesame::remat {

void SequenceWriter::run(int32_t node) {
  compute(problem_.nodes[static_cast<size_t>(node)].inputs);
  append(node);
}

void SequenceWriter::compute(std::span<const int32_t> values) {
  std::vector<int32_t> missing;  // nodes
  const auto need = [&](int32_t value) {
    if (available(value)) return;
    const int32_t producer = problem_.values[static_cast<size_t>(value)].producer;
    if (marked_[static_cast<size_t>(producer)]) return;
    marked_[static_cast<size_t>(producer)] = true;
    missing.push_back(producer);
  };
  for (const int32_t value : values) need(value);
  for (size_t i = 0; i < missing.size(); ++i) {
    for (const int32_t input : problem_.nodes[static_cast<size_t>(missing[i])].inputs) need(input);
  }
  std::ranges::sort(missing);
  for (const int32_t node : missing) {
    marked_[static_cast<size_t>(node)] = false;
    append(node);
  }
}

void SequenceWriter::forget(int32_t value) {
  const int32_t producer = problem_.values[static_cast<size_t>(value)].producer;
  if (producer < 0 || problem_.nodes[static_cast<size_t>(producer)].once) return;
  available_[static_cast<size_t>(value)] = false;
}

void SequenceWriter::append(int32_t node) {
  sequence_.push_back(node);
  for (const int32_t output : problem_.nodes[static_cast<size_t>(node)].outputs) {
    available_[static_cast<size_t>(output)] = true;
  }
}

Sequence SequenceWriter::finish() const { return without_idle_runs(problem_, sequence_); }

Sequence without_idle_runs(const Problem& problem, const Sequence& sequence) {
  std::vector<bool> wanted(problem.values.size(), false);
  for (size_t v = 0; v < problem.values.size(); ++v) wanted[v] = problem.values[v].kept_to_end;
  Sequence kept;
  for (size_t i = sequence.size(); i-- > 0;) {
    const Problem::Node& node = problem.nodes[static_cast<size_t>(sequence[i])];
    const bool read = std::ranges::any_of(node.outputs, [&](int32_t v) { return wanted[static_cast<size_t>(v)]; });
    if (!read && !node.once) continue;
    kept.push_back(sequence[i]);
    for (const int32_t v : node.outputs) wanted[static_cast<size_t>(v)] = false;
    for (const int32_t v : node.inputs) wanted[static_cast<size_t>(v)] = true;
  }
  std::ranges::reverse(kept);
  return kept;
}

}  // namespace sesame::remat
