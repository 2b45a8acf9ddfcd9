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
#include "sesame/backend/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// Columns of a tile: two vectors, so that each element of A that is broadcast feeds two multiply-adds.
constexpr int64_t kTileColumns = 2 * kLanes;

/// Rows of a tile: as many as leave the registers room for two vectors of B and one of A.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
constexpr int64_t kTileRows = 14;
#elif HWY_ARCH_ARM_A64
constexpr int64_t kTileRows = 12;
#else
constexpr int64_t kTileRows = 6;
#endif

/// Memory to fetch while a tile is computed: for each row i of the tile, `lines` addresses from `at + i * stride` on,
/// `step` floats apart.
struct TilePrefetch {
  const float* at = nullptr;
  int64_t stride = 0;
  int64_t step = 0;
  int64_t lines = 0;
};

/// sums += a[k, kRows] b[k, kVectors * kLanes]; moves a and b on.
template <int kRows, int kVectors>
HWY_INLINE void accumulate_tile(const float*& a, const float*& b, int64_t ldb, int64_t k,
                                FloatVec (&sum)[kRows][kVectors]) {
  const FloatTag d;
  for (; k > 0; --k) {
    FloatVec columns[kVectors];
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const FloatVec row = hn::Set(d, a[i]);
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::MulAdd(row, columns[v], sum[i][v]);
    }
    a += kRows;
    b += ldb;
  }
}

/// c[kRows, kVectors * kLanes] = alpha * a b (+ bias) (+ add). a is packed: [k, kRows]; rows of b are ldb floats apart.
template <int kRows, int kVectors>
HWY_NOINLINE void multiply_tile(const float* a, const float* b, int64_t ldb, int64_t k, const TileTarget& target,
                                const TilePrefetch& prefetch) {
  const FloatTag d;
  FloatVec sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[i][v] = hn::Zero(d);
  }
  // A few lines at a time: many misses at once would hold up the loads of b.
  const int64_t k_per_row = k / kRows;
  for (int i = 0; i < kRows; ++i) {
    hwy::Prefetch(target.c + i * target.ldc);
    hwy::Prefetch(target.c + i * target.ldc + kVectors * kLanes - 1);
    for (int64_t line = 0; line < prefetch.lines; ++line) {
      hwy::Prefetch(prefetch.at + i * prefetch.stride + line * prefetch.step);
    }
    accumulate_tile<kRows, kVectors>(a, b, ldb, k_per_row, sum);
  }
  accumulate_tile<kRows, kVectors>(a, b, ldb, k - k_per_row * kRows, sum);

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

using TileFunction = void (*)(const float*, const float*, int64_t, int64_t, const TileTarget&, const TilePrefetch&);

template <int kVectors, size_t... kIndex>
constexpr std::array<TileFunction, sizeof...(kIndex)> tile_functions(std::index_sequence<kIndex...>) {
  return {multiply_tile<static_cast<int>(kIndex) + 1, kVectors>...};
}

/// multiply_tile for 1 .. kTileRows rows: [vectors - 1][rows - 1].
constexpr std::array<TileFunction, kTileRows> kTileFunctions[2] = {
    tile_functions<1>(std::make_index_sequence<kTileRows>()), tile_functions<2>(std::make_index_sequence<kTileRows>())};

/// Any tile of at most kTileRows x kTileColumns; b's rows hold whole vectors of floats even where `columns` is less. A
/// tile that does not fill its vectors goes through a buffer, so that every element takes the same arithmetic.
HWY_INLINE void multiply_any_tile(const float* a, const float* b, int64_t ldb, int64_t k, int64_t rows, int64_t columns,
                                  const TileTarget& target, const TilePrefetch& prefetch) {
  const size_t vectors = columns > kLanes ? 2 : 1;
  const TileFunction function = kTileFunctions[vectors - 1][static_cast<size_t>(rows - 1)];
  if (columns == static_cast<int64_t>(vectors) * kLanes) {
    function(a, b, ldb, k, target, prefetch);
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
  function(a, b, ldb, k, buffered, prefetch);
  for (int64_t i = 0; i < rows; ++i) std::memcpy(target.c + i * target.ldc, buffer + i * kTileColumns, row_bytes);
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_GEMM_TILE_INL_H_
