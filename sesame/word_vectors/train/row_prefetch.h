#pragma once

#include <cstdint>
#include <span>

namespace sesame {

/// Brings rows into the second-level cache (the first is full of what is in use), a few cache lines at a time: many
/// misses at once would hold up the loads of the computation that they are to hide behind.
class RowPrefetch {
 public:
  /// Rows of `width` floats, to be fetched in `calls` calls of fetch().
  RowPrefetch(std::span<float* const> rows, int64_t width, int64_t calls)
      : rows_(rows), width_(width), share_((static_cast<int64_t>(rows.size()) * width / kLineFloats + calls) / calls) {}

  void fetch() {
    for (int64_t line = 0; line < share_ && row_ < rows_.size(); ++line) {
      __builtin_prefetch(rows_[row_] + column_, 0, 2);
      column_ += kLineFloats;
      if (column_ < width_) continue;
      column_ = 0;
      ++row_;
    }
  }

 private:
  static constexpr int64_t kLineFloats = 16;

  std::span<float* const> rows_;
  int64_t width_;
  int64_t share_;  // lines a call
  size_t row_ = 0;
  int64_t column_ = 0;
};

}  // namespace sesame
