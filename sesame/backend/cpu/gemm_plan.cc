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

// Measured on Zen 3 and 4, in cycles of 16 multiply-adds: moving an element of A or B into packed order, and an element
// of C to registers and back.
constexpr double kPackCycles = 0.4;
constexpr double kUpdateCycles = 0.15;

// Below this many multiply-adds a product is not worth several threads, nor much thought.
constexpr int64_t kSmallProduct = 64 * 1024;

struct Blocking {
  int64_t rows = 0;
  int64_t columns = 0;
};

/// Cycles until the last of `threads` threads has done its share of equal blocks.
double cycles(const Gemm& gemm, const GemmTile& tile, int64_t block_k, const Blocking& blocking, int64_t threads) {
  const int64_t row_blocks = ceil_div(gemm.m, blocking.rows);
  const int64_t blocks = gemm.batch * row_blocks * ceil_div(gemm.n, blocking.columns);
  const auto k = static_cast<double>(gemm.k);
  const auto rows = static_cast<double>(blocking.rows);
  const auto columns = static_cast<double>(blocking.columns);
  // Panels of B that lie packed are kept for the next block where one step covers all of k.
  const bool kept = gemm.k <= block_k && row_blocks > threads;
  const double b_packs = kept ? static_cast<double>(threads) / static_cast<double>(row_blocks) : 1;
  const double panels = static_cast<double>(ceil_div(blocking.columns, tile.columns) * tile.columns);
  const double multiply = rows * panels * k / 16;
  const double pack = kPackCycles * k * (rows + columns * b_packs);
  const double update = kUpdateCycles * rows * columns * static_cast<double>(ceil_div(gemm.k, block_k));
  return static_cast<double>(ceil_div(blocks, threads)) * (multiply + pack + update);
}

/// The blocking that is quickest on so many threads, with a little weight on having blocks to spare for those that are
/// held up.
Blocking best_blocking(const Gemm& gemm, const GemmTile& tile, int64_t block_k, int64_t threads) {
  Blocking best;
  double least = 0;
  for (const int64_t column_pieces : {1, 2, 3, 4}) {
    const int64_t columns = even_piece(gemm.n, std::max(tile.max_columns / column_pieces, tile.columns), tile.columns);
    for (const int64_t row_pieces : {1, 2, 3, 4, 6, 8, 12, 16, 32, 64}) {
      const int64_t rows = ceil_div(gemm.m, row_pieces);
      if (row_pieces > 1 && rows < 2 * tile.rows) break;
      const Blocking blocking{rows, columns};
      double time = cycles(gemm, tile, block_k, blocking, threads);
      if (threads > 1) time += 0.02 * cycles(gemm, tile, block_k, blocking, 4 * threads);
      if (best.rows == 0 || time < least) {
        best = blocking;
        least = time;
      }
    }
  }
  return best;
}

}  // namespace

GemmPlan gemm_plan(const Gemm& gemm, const GemmTile& tile, int threads) {
  GemmPlan plan;
  plan.block_k = even_piece(gemm.k, tile.max_k, 8);
  Blocking blocking{gemm.m, even_piece(gemm.n, tile.max_columns, tile.columns)};
  if (gemm.m * gemm.n * gemm.k > kSmallProduct) blocking = best_blocking(gemm, tile, plan.block_k, threads);
  plan.block_rows = blocking.rows;
  plan.block_columns = blocking.columns;
  plan.row_blocks = ceil_div(gemm.m, plan.block_rows);
  plan.column_blocks = ceil_div(gemm.n, plan.block_columns);
  plan.panels_per_pack = std::min(tile.panels_per_pack, ceil_div(plan.block_rows, tile.rows));
  const int64_t k = std::min(plan.block_k, gemm.k);
  plan.packed_b_floats = ceil_div(std::min(plan.block_columns, gemm.n), tile.columns) * tile.columns * k + kSlackFloats;
  plan.packed_a_floats = ceil_div(plan.panels_per_pack * tile.rows * k, 16) * 16 + kSlackFloats;
  return plan;
}

}  // namespace sesame
