#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sesame::remat {

/// A step as rematerialisation sees it: operations in a legal order and the values that pass between them. Views are
/// folded into the value whose bytes they show; parameters and other variables take no part.
struct Problem {
  struct Value {
    int64_t bytes = 0;         // in the arena; 0: it lies in a variable's storage
    int32_t producer = -1;     // the node that writes it; -1: there from the start, until its last read
    bool kept_to_end = false;  // a result of the step
  };
  struct Node {
    double seconds = 0;
    int64_t workspace = 0;             // bytes, while it runs
    std::vector<int32_t> inputs = {};  // the values that it reads, each once
    std::vector<int32_t> outputs = {};
    /// (output, input), both values of this node: the output may take over the input's bytes if this is the last read
    /// of what the input then holds. Of several pairs the first that can be had counts, once for each value.
    std::vector<std::pair<int32_t, int32_t>> in_place = {};
    bool once = false;  // it changes a variable: it must run exactly once, in the given order among its like
  };
  std::vector<Node> nodes;  // in a legal order, each needed
  std::vector<Value> values;
  /// In the arena for the whole step whatever the order: inputs, results. What is counted here has no bytes as a value.
  int64_t fixed_bytes = 0;
};

/// An execution: node numbers in order. A node that stands there again is computed again. A read takes the value of the
/// latest run of its producer before it; that run's value lives until the last read before the producer's next run (a
/// kept_to_end value: the last run's until the end). What is never read lives while its producer runs.
using Sequence = std::vector<int32_t>;

/// Each node once, in the given order.
Sequence in_order(const Problem& problem);

/// What a sequence takes.
struct Footprint {
  double seconds = 0;
  int64_t peak_bytes = 0;  // fixed bytes, values and workspace at the worst position
  int32_t peak_position = 0;
};

/// Throws Error naming the node if a value is read that was never computed, a `once` node does not run exactly once or
/// runs out of order, or a node is missing.
Footprint simulate(const Problem& problem, const Sequence& sequence);

/// Bytes while each position runs: what simulate() takes the highest of. Throws as simulate() does.
std::vector<int64_t> timeline(const Problem& problem, const Sequence& sequence);

}  // namespace sesame::remat
