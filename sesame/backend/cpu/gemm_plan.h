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
  int64_t max_k = 0;     // of a step
  int64_t max_kept = 0;  // rows of A or columns of B, max_k long, that are kept packed: about half of the L2 cache
};

/// How a product is cut. C is cut into blocks of block_rows x block_columns, each one job for one thread, which takes
/// the sum over k in steps of block_k. In a step either the block of B is kept packed in the cache and a panel of A at
/// a time passes along it, or, where C has few rows, the block of A is kept and B passes by. block_k depends on k
/// alone, and nothing else changes the order of a sum.
struct GemmPlan {
  int64_t block_rows = 0;
  int64_t block_columns = 0;
  int64_t block_k = 0;
  int64_t row_blocks = 0;
  int64_t column_blocks = 0;
  bool keeps_a = false;

  int64_t packed_b_floats = 0;  // scratch memory per thread
  int64_t packed_a_floats = 0;

  [[nodiscard]] int64_t blocks(const Gemm& gemm) const { return gemm.batch * row_blocks * column_blocks; }
};

/// The one place where blocking is decided.
GemmPlan gemm_plan(const Gemm& gemm, const GemmTile& tile, int threads);

}  // namespace sesame
