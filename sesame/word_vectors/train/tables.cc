#include "sesame/word_vectors/train/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "sesame/base/error.h"
#include "sesame/base/philox.h"

namespace sesame {
namespace {

/// Bytes of [rows, stride] floats, checked before anything is allocated.
size_t table_bytes(int64_t rows, int64_t dim) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / int64_t{sizeof(float)};
  if (rows < 0 || dim < 1 || dim > kMost - 16 || rows > kMost / row_stride(dim)) {
    fail(fmt::format("word vectors: a table of {} rows of {} floats is not possible", rows, dim));
  }
  return static_cast<size_t>(rows * row_stride(dim)) * sizeof(float);
}

}  // namespace

RowTable::RowTable(int64_t row_count, int64_t channels)
    : memory(table_bytes(row_count, channels)), rows(row_count), dim(channels), stride(row_stride(channels)) {}

VectorTables initial_tables(const VectorOptions& options, int64_t words) {
  const bool tree = options.loss == VectorLoss::hierarchical_softmax;
  const int64_t buckets = options.max_n > 0 ? options.buckets : 0;
  VectorTables tables{RowTable(words + buckets, options.dim),
                      RowTable(tree ? std::max<int64_t>(words - 1, 0) : words, options.dim)};
  constexpr uint64_t kInitialRows = 0x726f7773;  // the stream, apart from those of training
  const Philox random(options.seed, kInitialRows);
  const float scale = 1.0F / static_cast<float>(options.dim);
  for (int64_t i = 0; i < tables.input.rows; ++i) {
    float* const row = tables.input.row(i);
    for (int64_t d = 0; d < options.dim; d += 4) {
      const auto words4 = random.block(static_cast<uint64_t>(d / 4), static_cast<uint64_t>(i));
      for (int64_t k = 0; k < std::min<int64_t>(4, options.dim - d); ++k) {
        row[d + k] = (Philox::uniform(words4[static_cast<size_t>(k)]) - 0.5F) * scale;
      }
    }
  }
  return tables;
}

}  // namespace sesame
