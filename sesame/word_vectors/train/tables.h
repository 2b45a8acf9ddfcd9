#pragma once

#include <cstdint>

#include "sesame/base/huge_buffer.h"
#include "sesame/word_vectors/options.h"

namespace sesame {

/// Floats from one row to the next: dim rounded up to 16, so that rows lie on cache lines. The rest of a row is zero.
constexpr int64_t row_stride(int64_t dim) { return (dim + 15) / 16 * 16; }

/// Rows of floats in huge pages.
struct RowTable {
  HugeBuffer memory;
  int64_t rows = 0;
  int64_t dim = 0;
  int64_t stride = 0;

  RowTable() = default;
  /// All zero. Throws Error with the size when it can't be had.
  RowTable(int64_t rows, int64_t dim);
  [[nodiscard]] float* row(int64_t i) noexcept { return memory.as<float>().data() + i * stride; }
  [[nodiscard]] const float* row(int64_t i) const noexcept { return memory.as<float>().data() + i * stride; }
};

/// The two matrices that training moves.
struct VectorTables {
  RowTable input;   // [words + buckets, dim]: a row a word, then one a bucket of n-grams
  RowTable output;  // [words, dim] with negative sampling, [words - 1, dim] with hierarchical softmax
};

/// Input rows uniform in [-0.5, 0.5) / dim from Philox(seed) by row and element; output rows zero, as in word2vec.c.
VectorTables initial_tables(const VectorOptions& options, int64_t words);

}  // namespace sesame
