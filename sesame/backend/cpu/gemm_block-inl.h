// One block of C of a matrix product, by one thread. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_GEMM_BLOCK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_GEMM_BLOCK_INL_H_
#undef SESAME_BACKEND_CPU_GEMM_BLOCK_INL_H_
#else
#define SESAME_BACKEND_CPU_GEMM_BLOCK_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sesame/backend/cpu/gemm_pack-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

// What lies packed in L2 takes about half of it: of 1 MiB on processors with AVX-512, of 512 KiB on others. The panel
// of A that a row of tiles reads stays in L1.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
constexpr GemmTile kGemmTile{kTileRows, kTileColumns, 384, 384};
#else
constexpr GemmTile kGemmTile{kTileRows, kTileColumns, 384, 256};
#endif

/// A thread's scratch memory: a line that says which block of B is packed, then that block, then panels of A.
class BlockScratch {
 public:
  static size_t bytes(const GemmPlan& plan) {
    const int64_t floats = plan.packed_b_floats + plan.packed_a_floats;
    return kHeaderBytes + static_cast<size_t>((floats + 15) / 16 * 16) * sizeof(float);
  }

  BlockScratch(const GemmPlan& plan, std::byte* memory)
      : packed_block_(reinterpret_cast<int64_t*>(memory)),
        b_(reinterpret_cast<float*>(memory + kHeaderBytes)),
        a_(b_ + plan.packed_b_floats) {}

  void forget() { *packed_block_ = -1; }

  /// True if block `id` of B lies packed already; from now on it counts as packed.
  bool keeps(int64_t id) {
    if (*packed_block_ == id) return true;
    *packed_block_ = id;
    return false;
  }

  [[nodiscard]] float* b() const { return b_; }
  [[nodiscard]] float* a() const { return a_; }

 private:
  static constexpr size_t kHeaderBytes = 64;

  int64_t* packed_block_;
  float* b_;
  float* a_;
};

/// `total` rows in the fewest panels of at most kTileRows, as even as can be.
struct RowPanels {
  int64_t count;
  int64_t rows;  // of the first `larger` panels plus one
  int64_t larger;

  explicit RowPanels(int64_t total)
      : count((total + kTileRows - 1) / kTileRows), rows(total / count), larger(total % count) {}
  [[nodiscard]] int64_t begin(int64_t panel) const { return panel * rows + std::min(panel, larger); }
  [[nodiscard]] int64_t size(int64_t panel) const { return rows + (panel < larger ? 1 : 0); }
};

/// The part of a block that one step over k adds: C[row.., column..] from A's columns and B's rows [p, p + k).
struct BlockStep {
  const float* a;  // of this batch, unpacked
  const float* b;  // of this batch, unpacked
  int64_t row, rows;
  int64_t column, columns;
  int64_t p, k;
  TileTarget target;  // at the block's first element
};

HWY_INLINE TileTarget offset_target(const TileTarget& target, int64_t i, int64_t j) {
  TileTarget moved = target;
  moved.c += i * target.ldc + j;
  if (target.add != nullptr) moved.add += i * target.ldadd + j;
  if (target.bias != nullptr) moved.bias += j;
  return moved;
}

/// One step: walks the tiles of the block, packing what is not packed yet when it is first met.
class StepTiles {
 public:
  StepTiles(const Gemm& gemm, const GemmPlan& plan, const BlockStep& step, const BlockScratch& scratch)
      : gemm_(gemm), plan_(plan), step_(step), scratch_(scratch), panels_(step.rows) {}

  /// b_is_packed: the block of B was left in the scratch memory by the block before.
  HWY_INLINE void multiply(bool b_is_packed) const {
    const int64_t parts = (step_.columns + kTileColumns - 1) / kTileColumns;
    if (plan_.keeps_a) {
      for (int64_t part = 0; part < parts; ++part) {
        for (int64_t panel = 0; panel < panels_.count; ++panel) {
          TilePrefetch prefetch;
          if (part == 0 && panel + 1 < panels_.count) {
            prefetch = prefetch_a(panel, 0, 1);
          } else if (part + 1 < parts) {
            prefetch = prefetch_b(part + 1, panel, panels_.count);
          } else {
            prefetch = prefetch_a(panels_.count - 1, panel, panels_.count);
          }
          multiply_one(panel, part, false, prefetch);
        }
      }
    } else {
      for (int64_t panel = 0; panel < panels_.count; ++panel) {
        for (int64_t part = 0; part < parts; ++part) {
          multiply_one(panel, part, b_is_packed, prefetch_a(panel, part, parts));
        }
      }
    }
  }

 private:
  HWY_INLINE void multiply_one(int64_t panel, int64_t part, bool b_is_packed, const TilePrefetch& prefetch) const {
    const int64_t i = panels_.begin(panel), rows = panels_.size(panel);
    const int64_t j = part * kTileColumns, columns = std::min(kTileColumns, step_.columns - j);
    float* packed_a = scratch_.a() + (plan_.keeps_a ? i * step_.k : 0);
    float* packed_b = scratch_.b() + (plan_.keeps_a ? 0 : j * step_.k);
    TileSource source{.a = packed_a, .b = packed_b};
    if (part == 0) {
      if (gemm_.transpose_a) {
        source.a = step_.a + step_.p * gemm_.lda + step_.row + i;
        source.lda = gemm_.lda;
        source.packed_a = packed_a;
      } else {
        pack_transposed(step_.a + (step_.row + i) * gemm_.lda + step_.p, gemm_.lda, rows, step_.k, packed_a, rows);
      }
    }
    if (panel == 0 && !b_is_packed) {
      if (!gemm_.transpose_b && columns == kTileColumns) {
        source.b = step_.b + step_.p * gemm_.ldb + step_.column + j;
        source.ldb = gemm_.ldb;
        source.packed_b = packed_b;
      } else {
        pack_b_panel(gemm_, step_.b, step_.p, step_.k, step_.column + j, columns, packed_b);
      }
    }
    multiply_any_tile(source, step_.k, rows, columns, offset_target(step_.target, i, j), prefetch);
  }

  /// Share `share` of `shares` of what packing panel `panel` of A, or the first of the next step, will read first.
  HWY_INLINE TilePrefetch prefetch_a(int64_t panel, int64_t share, int64_t shares) const {
    int64_t p = step_.p, k = step_.k;
    if (++panel == panels_.count) {
      panel = 0;
      p += k;
      k = std::min(k, gemm_.k - p);
      if (k <= 0) return {};
    }
    const int64_t row = step_.row + panels_.begin(panel), rows = panels_.size(panel);
    if (gemm_.transpose_a) {
      if (share + 1 < shares) return {};
      return region(step_.a + p * gemm_.lda + row, gemm_.lda, std::min(k, kFetchAhead), rows, 0, 1);
    }
    return region(step_.a + row * gemm_.lda + p, gemm_.lda, rows, k, share, shares);
  }

  /// The same for columns `part` of B.
  HWY_INLINE TilePrefetch prefetch_b(int64_t part, int64_t share, int64_t shares) const {
    const int64_t column = step_.column + part * kTileColumns;
    const int64_t columns = std::min(kTileColumns, step_.columns - part * kTileColumns);
    if (gemm_.transpose_b) {
      return region(step_.b + column * gemm_.ldb + step_.p, gemm_.ldb, columns, step_.k, share, shares);
    }
    return region(step_.b + step_.p * gemm_.ldb + column, gemm_.ldb, step_.k, columns, share, shares);
  }

  static HWY_INLINE TilePrefetch region(const float* at, int64_t stride, int64_t rows, int64_t columns, int64_t share,
                                        int64_t shares) {
    const int64_t row_lines = (columns + kLineFloats - 1) / kLineFloats, lines = rows * row_lines;
    const int64_t first = lines * share / shares, row = first / row_lines;
    return {at + row * stride, stride, row_lines, first - row * row_lines, lines * (share + 1) / shares - first};
  }

  const Gemm& gemm_;
  const GemmPlan& plan_;
  const BlockStep& step_;
  const BlockScratch& scratch_;
  RowPanels panels_;
};

/// Block `block` of the product. Blocks that share a block of B follow each other, so that a thread that does several
/// of them packs it once.
inline void multiply_block(const Gemm& gemm, const GemmPlan& plan, int64_t block, BlockScratch& scratch) {
  const int64_t row_block = block % plan.row_blocks;
  const int64_t column_block = block / plan.row_blocks % plan.column_blocks;
  const int64_t batch = block / (plan.row_blocks * plan.column_blocks);

  BlockStep step;
  step.a = gemm.a + batch * gemm.batch_stride_a;
  step.b = gemm.b + batch * gemm.batch_stride_b;
  step.row = row_block * plan.block_rows;
  step.rows = std::min(plan.block_rows, gemm.m - step.row);
  step.column = column_block * plan.block_columns;
  step.columns = std::min(plan.block_columns, gemm.n - step.column);
  float* c = gemm.c + batch * gemm.batch_stride_c + step.row * gemm.ldc + step.column;
  step.target = {.c = c, .ldc = gemm.ldc, .alpha = gemm.alpha};
  if (gemm.bias != nullptr) step.target.bias = gemm.bias + step.column;
  if (gemm.d != nullptr) {
    step.target.add = gemm.d + batch * gemm.batch_stride_d + step.row * gemm.ldd + step.column;
    step.target.ldadd = gemm.ldd;
  }
  const int64_t b_block = (gemm.batch_stride_b == 0 ? 0 : batch) * plan.column_blocks + column_block;
  for (step.p = 0; step.p < gemm.k; step.p += plan.block_k) {
    step.k = std::min(plan.block_k, gemm.k - step.p);
    const bool whole_k = step.k == gemm.k;
    const bool b_is_packed = !plan.keeps_a && whole_k && scratch.keeps(b_block);
    StepTiles(gemm, plan, step, scratch).multiply(b_is_packed);
    step.target.bias = nullptr;
    step.target.add = c;
    step.target.ldadd = gemm.ldc;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_GEMM_BLOCK_INL_H_
