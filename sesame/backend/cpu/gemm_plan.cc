#include "sesame/backend/cpu/gemm_plan.h"

#include <algorithm>

namespace sesame {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// The size of equal pieces of `total`, each at most `most` and a multiple of `multiple` (the last may be smaller).
int64_t even_piece(int64_t total, int64_t most, int64_t multiple) {
  const int64_t pieces = ceil_div(total, most);
  return ceil_div(ceil_div(total, pieces), multiple) * multiple;
}

// Room behind packed blocks into which vectors may be written too far.
constexpr int64_t kSlackFloats = 64;

// Measured on Zen 3 and 4, in cycles of 16 multiply-adds: bringing an element of A or B into packed order, if it lies
// in that order already and if it has to be transposed, and an element of C to registers and back.
constexpr double kCopyCycles = 0.2;
constexpr double kTransposeCycles = 0.5;
constexpr double kUpdateCycles = 0.15;

// Below this many multiply-adds a product is not worth several threads, nor much thought.
constexpr int64_t kSmallProduct = 64 * 1024;

struct Blocking {
  int64_t rows = 0;
  int64_t columns = 0;
  bool keeps_a = false;
};

/// Cycles until the last of `threads` threads has done its share of equal blocks.
double cycles(const Gemm& gemm, const GemmTile& tile, int64_t block_k, const Blocking& blocking, int64_t threads) {
  const int64_t row_blocks = ceil_div(gemm.m, blocking.rows);
  const int64_t blocks = gemm.batch * row_blocks * ceil_div(gemm.n, blocking.columns);
  const auto k = static_cast<double>(gemm.k);
  const auto rows = static_cast<double>(blocking.rows);
  const auto columns = static_cast<double>(blocking.columns);
  // Panels of B that lie packed are kept for the next block where one step covers all of k.
  const bool kept = !blocking.keeps_a && gemm.k <= block_k && row_blocks > threads;
  const double b_packs = kept ? static_cast<double>(threads) / static_cast<double>(row_blocks) : 1;
  const double panels = static_cast<double>(ceil_div(blocking.columns, tile.columns) * tile.columns);
  const double multiply = rows * panels * k / 16;
  const double pack_a = gemm.transpose_a ? kCopyCycles : kTransposeCycles;
  const double pack_b = gemm.transpose_b ? kTransposeCycles : kCopyCycles;
  const double pack = k * (pack_a * rows + pack_b * columns * b_packs);
  const double update = kUpdateCycles * rows * columns * static_cast<double>(ceil_div(gemm.k, block_k));
  return static_cast<double>(ceil_div(blocks, threads)) * (multiply + pack + update);
}

/// The blocking that is quickest on so many threads, with a little weight on having blocks to spare for those that are
/// held up.
Blocking best_blocking(const Gemm& gemm, const GemmTile& tile, int64_t block_k, int64_t threads) {
  Blocking best;
  double least = 0;
  const auto consider = [&](const Blocking& blocking) {
    double time = cycles(gemm, tile, block_k, blocking, threads);
    if (threads > 1) time += 0.02 * cycles(gemm, tile, block_k, blocking, 4 * threads);
    if (best.rows == 0 || time < least) {
      best = blocking;
      least = time;
    }
  };
  for (const int64_t column_pieces : {1, 2, 3, 4}) {
    const int64_t columns = even_piece(gemm.n, std::max(tile.max_kept / column_pieces, tile.columns), tile.columns);
    for (const int64_t row_pieces : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64}) {
      const int64_t rows = ceil_div(gemm.m, row_pieces);
      if (row_pieces > 1 && rows < 2 * tile.rows) break;
      consider({rows, columns, false});
    }
  }
  for (const int64_t column_pieces : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64}) {
    const int64_t columns = even_piece(gemm.n, ceil_div(gemm.n, column_pieces), tile.columns);
    if (column_pieces > 1 && columns < 4 * tile.columns) break;
    for (const int64_t row_pieces : {1, 2, 3, 4}) {
      const int64_t rows = even_piece(gemm.m, std::max(tile.max_kept / row_pieces, tile.rows), 1);
      if (row_pieces > 1 && rows < 2 * tile.rows) break;
      consider({rows, columns, true});
    }
  }
  return best;
}

}  // namespace

GemmPlan gemm_plan(const Gemm& gemm, const GemmTile& tile, int threads) {
  GemmPlan plan;
  plan.block_k = even_piece(gemm.k, tile.max_k, 8);
  Blocking blocking{gemm.m, even_piece(gemm.n, tile.max_kept, tile.columns)};
  if (gemm.m * gemm.n * gemm.k > kSmallProduct) blocking = best_blocking(gemm, tile, plan.block_k, threads);
  plan.block_rows = blocking.rows;
  plan.block_columns = blocking.columns;
  plan.keeps_a = blocking.keeps_a;
  plan.row_blocks = ceil_div(gemm.m, plan.block_rows);
  plan.column_blocks = ceil_div(gemm.n, plan.block_columns);
  const int64_t k = std::min(plan.block_k, gemm.k);
  const int64_t kept_columns = plan.keeps_a ? tile.columns : plan.block_columns;
  const int64_t kept_rows = plan.keeps_a ? plan.block_rows : tile.rows;
  plan.packed_b_floats = ceil_div(std::min(kept_columns, gemm.n), tile.columns) * tile.columns * k + kSlackFloats;
  plan.packed_a_floats = ceil_div(kept_rows * k, 16) * 16 + kSlackFloats;
  return plan;
}

}  // namespace sesame
