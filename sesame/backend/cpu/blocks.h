#pragma once

#include <algorithm>
#include <cstdint>

#include "sesame/base/thread_pool.h"

namespace sesame {

/// Elements that one block of a memory-bound kernel works on: enough to outweigh claiming a block, few enough for L2.
inline constexpr int64_t kElementsPerBlock = 16384;

/// Calls f(begin, end) for [0, n) cut into pieces of `size`, the last one shorter, on all threads.
template <typename F>
void run_blocks(ThreadPool& threads, int64_t n, int64_t size, F&& f) {
  threads.run((n + size - 1) / size, [&](int64_t block, int) { f(block * size, std::min(n, (block + 1) * size)); });
}

/// Rows of `width` elements per block.
constexpr int64_t rows_per_block(int64_t width) { return std::max<int64_t>(1, kElementsPerBlock / width); }

/// Sums over rows are cut into at most this many parts, each with its own partial sums, which are then added in order.
inline constexpr int64_t kMaxRowParts = 32;

/// The rows that part `part` of `parts` covers: [row_part(part), row_part(part + 1)).
struct RowParts {
  int64_t rows;
  int64_t parts;

  RowParts(int64_t row_count, int64_t width)
      : rows(row_count), parts(std::clamp<int64_t>(row_count / rows_per_block(width), 1, kMaxRowParts)) {}

  [[nodiscard]] int64_t begin(int64_t part) const { return rows * part / parts; }
};

}  // namespace sesame
