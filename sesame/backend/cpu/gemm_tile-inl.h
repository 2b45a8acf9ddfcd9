// The inner product of all matrix products: a tile of C held in registers. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_GEMM_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_GEMM_TILE_INL_H_
#undef SESAME_BACKEND_CPU_GEMM_TILE_INL_H_
#else
#define SESAME_BACKEND_CPU_GEMM_TILE_INL_H_
#endif

#include <array>
#include <cstdint>
#include <utility>

#include "hwy/cache_control.h"
#include "sesame/backend/cpu/gemm_plan.h"
#include "sesame/simd/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// Columns of a tile: two vectors, so that each element of A that is broadcast feeds two multiply-adds.
constexpr int64_t kTileColumns = 2 * kLanes;

/// Floats in a cache line; what is wrong for some processor costs it a few prefetches.
constexpr int64_t kLineFloats = 16;

/// Rows of a tile: as many as leave the registers room for two vectors of B and one of A.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
constexpr int64_t kTileRows = 14;
#elif HWY_ARCH_ARM_A64
constexpr int64_t kTileRows = 12;
#else
constexpr int64_t kTileRows = 6;
#endif

/// Memory to fetch while a tile is computed: `count` lines of a region of rows `stride` floats apart with `row_lines`
/// lines each, from line `line` of the row at `row` on. They go to L2, since L1 is full of what is in use, and a few at
/// a time: many misses at once would hold up the loads of b.
struct TilePrefetch {
  const float* row = nullptr;
  int64_t stride = 0;
  int64_t row_lines = 0;
  int64_t line = 0;
  int64_t count = 0;

  HWY_INLINE void fetch(int64_t most) {
    const int64_t now = HWY_MIN(most, count);
    count -= now;
    for (int64_t i = 0; i < now; ++i) {
      __builtin_prefetch(row + line * kLineFloats, 0, 2);
      if (++line == row_lines) {
        line = 0;
        row += stride;
      }
    }
  }
};

/// What a tile multiplies. Packed, a is [k, rows of the tile] and b is [k, kTileColumns]. An operand that is still to
/// be packed is read where it lies in memory, rows lda or ldb apart, and a packed copy of it is left behind, which
/// costs almost nothing beside the multiply-adds.
struct TileSource {
  const float* a = nullptr;
  const float* b = nullptr;
  int64_t lda = 0;  // of a [k, m], if it is to be packed
  int64_t ldb = 0;
  float* packed_a = nullptr;  // null: a is packed already
  float* packed_b = nullptr;
};

/// Rows of an unpacked operand that are fetched ahead of the row in use.
constexpr int64_t kFetchAhead = 16;

/// sums += a[k, kRows] b[k, kVectors * kLanes]; moves `source` on.
template <int kRows, int kVectors, bool kPackA, bool kPackB>
HWY_INLINE void accumulate_tile(TileSource& source, int64_t k, FloatVec (&sum)[kRows][kVectors]) {
  const FloatTag d;
  const float* a = source.a;
  const float* b = source.b;
  for (; k > 0; --k) {
    FloatVec columns[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      columns[v] = hn::LoadU(d, b + v * kLanes);
      if constexpr (kPackB) {
        hwy::Prefetch(b + kFetchAhead * source.ldb + v * kLanes);
        hn::StoreU(columns[v], d, source.packed_b + v * kLanes);
      }
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const FloatVec row = hn::Set(d, a[i]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(row, columns[v], sum[i][v]);
    }
    if constexpr (kPackA) {
      hwy::Prefetch(a + kFetchAhead * source.lda);
      hwy::Prefetch(a + kFetchAhead * source.lda + kRows - 1);
      int64_t r = 0;
#pragma GCC unroll 4
      for (; r + kLanes <= kRows; r += kLanes) hn::StoreU(hn::LoadU(d, a + r), d, source.packed_a + r);
      if (r < kRows) hn::StoreU(load_first(a + r, kRows - r), d, source.packed_a + r);
      a += source.lda;
      source.packed_a += kRows;
    } else {
      a += kRows;
    }
    if constexpr (kPackB) {
      b += source.ldb;
      source.packed_b += kTileColumns;
    } else {
      b += kTileColumns;
    }
  }
  source.a = a;
  source.b = b;
}

/// c[kRows, kVectors * kLanes] = alpha * a b (+ bias) (+ add).
template <int kRows, int kVectors, bool kPackA, bool kPackB>
HWY_NOINLINE void multiply_tile(TileSource source, int64_t k, const TileTarget& target, TilePrefetch prefetch) {
  const FloatTag d;
  FloatVec sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(d);
  }
  const int64_t k_per_row = k / kRows;
  const int64_t lines_per_row = (prefetch.count + kRows - 1) / kRows;
  for (int i = 0; i < kRows; ++i) {
    hwy::Prefetch(target.c + i * target.ldc);
    hwy::Prefetch(target.c + i * target.ldc + kVectors * kLanes - 1);
    prefetch.fetch(lines_per_row);
    accumulate_tile<kRows, kVectors, kPackA, kPackB>(source, k_per_row, sum);
  }
  accumulate_tile<kRows, kVectors, kPackA, kPackB>(source, k - k_per_row * kRows, sum);

  const FloatVec alpha = hn::Set(d, target.alpha);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      FloatVec value = hn::Mul(sum[i][v], alpha);
      if (target.bias != nullptr) value = hn::Add(value, hn::LoadU(d, target.bias + v * kLanes));
      if (target.add != nullptr) value = hn::Add(value, hn::LoadU(d, target.add + i * target.ldadd + v * kLanes));
      hn::StoreU(value, d, target.c + i * target.ldc + v * kLanes);
    }
  }
}

using TileFunction = void (*)(TileSource, int64_t, const TileTarget&, TilePrefetch);

template <int kVectors, bool kPackA, bool kPackB, size_t... kIndex>
constexpr std::array<TileFunction, sizeof...(kIndex)> tile_functions(std::index_sequence<kIndex...>) {
  return {multiply_tile<static_cast<int>(kIndex) + 1, kVectors, kPackA, kPackB>...};
}

/// multiply_tile for 1 .. kTileRows rows: [packs a][vectors - 1][rows - 1], and for whole tiles that pack b.
constexpr auto kTileRowCounts = std::make_index_sequence<kTileRows>();
constexpr std::array<TileFunction, kTileRows> kTileFunctions[2][2] = {
    {tile_functions<1, false, false>(kTileRowCounts), tile_functions<2, false, false>(kTileRowCounts)},
    {tile_functions<1, true, false>(kTileRowCounts), tile_functions<2, true, false>(kTileRowCounts)}};
constexpr std::array<TileFunction, kTileRows> kPackingTileFunctions[2] = {
    tile_functions<2, false, true>(kTileRowCounts), tile_functions<2, true, true>(kTileRowCounts)};

/// Any tile of at most kTileRows x kTileColumns; b is packed, or the tile has all its columns. A tile that does not
/// fill its vectors goes through a buffer, so that every element takes the same arithmetic.
HWY_INLINE void multiply_any_tile(const TileSource& source, int64_t k, int64_t rows, int64_t columns,
                                  const TileTarget& target, const TilePrefetch& prefetch) {
  const size_t packs_a = source.packed_a == nullptr ? 0 : 1;
  const auto index = static_cast<size_t>(rows - 1);
  if (source.packed_b != nullptr) {
    kPackingTileFunctions[packs_a][index](source, k, target, prefetch);
    return;
  }
  const size_t vectors = columns > kLanes ? 2 : 1;
  const TileFunction function = kTileFunctions[packs_a][vectors - 1][index];
  if (columns == static_cast<int64_t>(vectors) * kLanes) {
    function(source, k, target, prefetch);
    return;
  }
  HWY_ALIGN float buffer[kTileRows * kTileColumns];
  HWY_ALIGN float bias[kTileColumns] = {};
  const size_t row_bytes = static_cast<size_t>(columns) * sizeof(float);
  TileTarget buffered = target;
  buffered.c = buffer;
  buffered.ldc = kTileColumns;
  if (target.bias != nullptr) {
    std::memcpy(bias, target.bias, row_bytes);
    buffered.bias = bias;
  }
  if (target.add != nullptr) {
    std::memset(buffer, 0, sizeof buffer);
    for (int64_t i = 0; i < rows; ++i) std::memcpy(buffer + i * kTileColumns, target.add + i * target.ldadd, row_bytes);
    buffered.add = buffer;
    buffered.ldadd = kTileColumns;
  }
  function(source, k, buffered, prefetch);
  for (int64_t i = 0; i < rows; ++i) std::memcpy(target.c + i * target.ldc, buffer + i * kTileColumns, row_bytes);
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_GEMM_TILE_INL_H_
