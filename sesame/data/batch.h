#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sesame {

/// A dense row-major array of token ids, positions or labels with the name of the graph input it feeds.
struct NamedArray {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<int32_t> values;  // product(shape)
};

/// What one step consumes: arrays of fixed shapes, allocated once and filled again for each step.
struct Batch {
  std::vector<NamedArray> arrays;

  /// Throws Error that lists the names there are.
  [[nodiscard]] NamedArray& at(std::string_view name);
  [[nodiscard]] const NamedArray& at(std::string_view name) const;
};

/// "inputs" and "targets", each [batch, time], zeroed.
Batch make_sequence_batch(int64_t batch, int64_t time);

}  // namespace sesame
