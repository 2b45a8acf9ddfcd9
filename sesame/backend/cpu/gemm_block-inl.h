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

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
// A panel of A stays in L1, B streams from L2: 32 bytes of B for 14 multiply-adds.
constexpr GemmTile kGemmTile{kTileRows, kTileColumns, 384, 384, 1};
#else
// The same with the half of an L2 cache of 512 KiB.
constexpr GemmTile kGemmTile{kTileRows, kTileColumns, 384, 256, 1};
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
  const float* b;  // packed panels
  int64_t row, rows;
  int64_t columns;
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

HWY_INLINE void multiply_step(const Gemm& gemm, const GemmPlan& plan, const BlockStep& step, float* packed_a) {
  const RowPanels panels(step.rows);
  for (int64_t first = 0; first < panels.count; first += plan.panels_per_pack) {
    const int64_t last = std::min(first + plan.panels_per_pack, panels.count);
    const int64_t row = panels.begin(first);
    for (int64_t panel = first; panel < last; ++panel) {
      const int64_t i = panels.begin(panel);
      pack_a_panel(gemm, step.a, step.row + i, panels.size(panel), step.p, step.k, packed_a + (i - row) * step.k);
    }
    const float* b = step.b;
    const int64_t parts = (step.columns + kTileColumns - 1) / kTileColumns;
    for (int64_t part = 0; part < parts; ++part, b += step.k * kTileColumns) {
      const int64_t j = part * kTileColumns;
      TilePrefetch prefetch;
      if (last < panels.count) {
        prefetch = prefetch_a_panel(gemm, step.a, step.row + panels.begin(last), panels.size(last), step.p, step.k,
                                    part, parts);
      } else if (step.p + step.k < gemm.k) {
        prefetch = prefetch_a_panel(gemm, step.a, step.row, panels.size(0), step.p + step.k,
                                    std::min(step.k, gemm.k - step.p - step.k), part, parts);
      }
      for (int64_t panel = first; panel < last; ++panel) {
        const int64_t i = panels.begin(panel);
        multiply_any_tile(packed_a + (i - row) * step.k, b, kTileColumns, step.k, panels.size(panel),
                          std::min(kTileColumns, step.columns - j), offset_target(step.target, i, j), prefetch);
        prefetch = TilePrefetch();
      }
    }
  }
}

/// Block `block` of the product. Blocks that share a block of B follow each other, so that a thread that does several
/// of them packs it once.
inline void multiply_block(const Gemm& gemm, const GemmPlan& plan, int64_t block, BlockScratch& scratch) {
  const int64_t row_block = block % plan.row_blocks;
  const int64_t column_block = block / plan.row_blocks % plan.column_blocks;
  const int64_t batch = block / (plan.row_blocks * plan.column_blocks);
  const int64_t column = column_block * plan.block_columns;

  BlockStep step;
  step.a = gemm.a + batch * gemm.batch_stride_a;
  step.b = scratch.b();
  step.row = row_block * plan.block_rows;
  step.rows = std::min(plan.block_rows, gemm.m - step.row);
  step.columns = std::min(plan.block_columns, gemm.n - column);
  float* c = gemm.c + batch * gemm.batch_stride_c + step.row * gemm.ldc + column;
  step.target = {.c = c, .ldc = gemm.ldc, .alpha = gemm.alpha};
  if (gemm.bias != nullptr) step.target.bias = gemm.bias + column;
  if (gemm.d != nullptr) {
    step.target.add = gemm.d + batch * gemm.batch_stride_d + step.row * gemm.ldd + column;
    step.target.ldadd = gemm.ldd;
  }
  const float* b = gemm.b + batch * gemm.batch_stride_b;
  const int64_t b_block = (gemm.batch_stride_b == 0 ? 0 : batch) * plan.column_blocks + column_block;
  for (step.p = 0; step.p < gemm.k; step.p += plan.block_k) {
    step.k = std::min(plan.block_k, gemm.k - step.p);
    const bool whole_k = step.k == gemm.k;
    if (!(whole_k && scratch.keeps(b_block))) {
      pack_b(gemm, b, step.p, step.k, column, step.columns, scratch.b());
    }
    multiply_step(gemm, plan, step, scratch.a());
    step.target.bias = nullptr;
    step.target.add = c;
    step.target.ldadd = gemm.ldc;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_GEMM_BLOCK_INL_H_
