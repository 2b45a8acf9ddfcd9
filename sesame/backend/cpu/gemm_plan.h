#pragma once

#include <cstdint>

#include "sesame/backend/cpu/gemm.h"

namespace sesame {

/// Where multiply_tile puts a tile: c = alpha * tile (+ bias) (+ add); null pointers for what is absent.
struct TileTarget {
  float* c = nullptr;
  int64_t ldc = 0;
  const float* add = nullptr;
  int64_t ldadd = 0;
  const float* bias = nullptr;
  float alpha = 1;
};

/// What an instruction set's multiply_tile wants: the tile held in registers and the block sizes that suit the caches
/// of the processors that have it.
struct GemmTile {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t max_k = 0;            // of a block
  int64_t max_columns = 0;      // of a block of B: max_k x max_columns floats take about half of the L2 cache
  int64_t panels_per_pack = 0;  // panels of A packed together; they are read from L1 (1) or L2 (more)
};

/// How a product is cut. C is cut into blocks of block_rows x block_columns, each one job for one thread, which takes
/// the sum over k in steps of block_k: it packs block_k x block_columns of B, then panel after panel of A. The bounds
/// depend on the shape alone.
struct GemmPlan {
  int64_t block_rows = 0;
  int64_t block_columns = 0;
  int64_t block_k = 0;
  int64_t row_blocks = 0;
  int64_t column_blocks = 0;
  int64_t panels_per_pack = 0;

  int64_t packed_b_floats = 0;  // scratch memory per thread
  int64_t packed_a_floats = 0;

  [[nodiscard]] int64_t blocks(const Gemm& gemm) const { return gemm.batch * row_blocks * column_blocks; }
};

/// The one place where blocking is decided.
GemmPlan gemm_plan(const Gemm& gemm, const GemmTile& tile, int threads);

}  // namespace sesame
