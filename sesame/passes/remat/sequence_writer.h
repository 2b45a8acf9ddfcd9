#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sesame/passes/remat/problem.h"

namespace sesame::remat {

/// Writes an execution under a policy: the policy says what runs and what is forgotten, the writer computes again
/// whatever a run finds forgotten, as late as possible and in the given order.
class SequenceWriter {
 public:
  explicit SequenceWriter(const Problem& problem)
      : problem_(problem), available_(problem.values.size(), false), marked_(problem.nodes.size(), false) {
    for (size_t v = 0; v < problem.values.size(); ++v) available_[v] = problem.values[v].producer < 0;
  }

  /// Runs the node, after the nodes that compute what it reads and is not available.
  void run(int32_t node);
  /// Makes the values available.
  void compute(std::span<const int32_t> values);
  /// The next read of the value finds it gone. What a `once` node has computed stays.
  void forget(int32_t value);
  [[nodiscard]] bool available(int32_t value) const { return available_[static_cast<size_t>(value)]; }

  /// The execution without the runs whose results nobody reads.
  [[nodiscard]] Sequence finish() const;

 private:
  void append(int32_t node);

  const Problem& problem_;
  std::vector<bool> available_;
  std::vector<bool> marked_;
  Sequence sequence_;
};

/// The sequence without the runs whose results nobody reads.
Sequence without_idle_runs(const Problem& problem, const Sequence& sequence);

}  // namespace sesame::remat
