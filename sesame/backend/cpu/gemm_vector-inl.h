// Products with a single row: a vector times a matrix, at the speed of memory. Included once per instruction set.

#if defined(SESAME_BACKEND_CPU_GEMM_VECTOR_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_BACKEND_CPU_GEMM_VECTOR_INL_H_
#undef SESAME_BACKEND_CPU_GEMM_VECTOR_INL_H_
#else
#define SESAME_BACKEND_CPU_GEMM_VECTOR_INL_H_
#endif

#include <algorithm>
#include <cstdint>

#include "sesame/backend/cpu/gemm_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// True where multiply_vector serves: one row, with its elements next to each other.
inline bool is_vector_product(const Gemm& gemm) { return gemm.m == 1 && (!gemm.transpose_a || gemm.lda == 1); }

/// Columns of C that are one job.
constexpr int64_t kVectorColumns = 128;

/// c[j] = alpha * sum[j] (+ bias[j]) (+ add[j]).
HWY_INLINE void finish_vector(const TileTarget& target, const float* sum, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    float value = sum[j] * target.alpha;
    if (target.bias != nullptr) value += target.bias[j];
    if (target.add != nullptr) value += target.add[j];
    target.c[j] = value;
  }
}

/// The dot products of a[k] with kRows rows of b.
template <int kRows>
HWY_INLINE void dot_rows(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t ldb, int64_t k,
                         float* sums) {
  constexpr int kParts = 4 / kRows * 2;  // eight sums in flight cover the latency of the multiply-add
  const FloatTag d;
  FloatVec sum[kRows][kParts];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int part = 0; part < kParts; ++part) sum[r][part] = hn::Zero(d);
  }
  int64_t p = 0;
  for (; p + kParts * kLanes <= k; p += kParts * kLanes) {
#pragma GCC unroll 8
    for (int part = 0; part < kParts; ++part) {
      const FloatVec x = hn::LoadU(d, a + p + part * kLanes);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        sum[r][part] = hn::MulAdd(x, hn::LoadU(d, b + r * ldb + p + part * kLanes), sum[r][part]);
      }
    }
  }
  for (; p < k; p += kLanes) {
    const int64_t count = std::min(kLanes, k - p);
    const bool whole = count == kLanes;
    const FloatVec x = whole ? hn::LoadU(d, a + p) : load_first(a + p, count);
    for (int r = 0; r < kRows; ++r) {
      const FloatVec y = whole ? hn::LoadU(d, b + r * ldb + p) : load_first(b + r * ldb + p, count);
      sum[r][0] = hn::MulAdd(x, y, sum[r][0]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    FloatVec total = sum[r][0];
    for (int part = 1; part < kParts; ++part) total = hn::Add(total, sum[r][part]);
    sums[r] = sum_of(total);
  }
}

/// sums[kVectorColumns] = a[k] times that many columns of b.
HWY_INLINE void combine_rows(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int64_t ldb, int64_t k,
                             float* sums) {
  constexpr int kVectors = kVectorColumns / kLanes >= 8 ? 8 : static_cast<int>(kVectorColumns / kLanes);
  constexpr int64_t kRowsAhead = 16;
  const FloatTag d;
  for (int64_t j = 0; j < kVectorColumns; j += kVectors * kLanes) {
    FloatVec sum[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
    const float* row = b + j;
    for (int64_t p = 0; p < k; ++p, row += ldb) {
      const FloatVec x = hn::Set(d, a[p]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        hwy::Prefetch(row + kRowsAhead * ldb + v * kLanes);
        sum[v] = hn::MulAdd(x, hn::LoadU(d, row + v * kLanes), sum[v]);
      }
    }
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, sums + j + v * kLanes);
  }
}

inline int64_t vector_blocks(const Gemm& gemm) { return gemm.batch * ((gemm.n + kVectorColumns - 1) / kVectorColumns); }

/// Job `block` of a product with one row.
inline void multiply_vector(const Gemm& gemm, int64_t block) {
  const int64_t per_batch = (gemm.n + kVectorColumns - 1) / kVectorColumns;
  const int64_t batch = block / per_batch;
  const int64_t column = block % per_batch * kVectorColumns;
  const int64_t columns = std::min(kVectorColumns, gemm.n - column);
  const float* a = gemm.a + batch * gemm.batch_stride_a;
  const float* b = gemm.b + batch * gemm.batch_stride_b + (gemm.transpose_b ? column * gemm.ldb : column);
  HWY_ALIGN float sums[kVectorColumns];
  if (gemm.transpose_b) {
    int64_t j = 0;
    for (; j + 4 <= columns; j += 4) dot_rows<4>(a, b + j * gemm.ldb, gemm.ldb, gemm.k, sums + j);
    for (; j < columns; ++j) dot_rows<1>(a, b + j * gemm.ldb, gemm.ldb, gemm.k, sums + j);
  } else if (columns == kVectorColumns) {
    combine_rows(a, b, gemm.ldb, gemm.k, sums);
  } else {
    std::fill(sums, sums + columns, 0.0F);
    for (int64_t p = 0; p < gemm.k; ++p) {
      for (int64_t j = 0; j < columns; ++j) sums[j] += a[p] * b[p * gemm.ldb + j];
    }
  }
  TileTarget target;
  target.c = gemm.c + batch * gemm.batch_stride_c + column;
  if (gemm.d != nullptr) target.add = gemm.d + batch * gemm.batch_stride_d + column;
  if (gemm.bias != nullptr) target.bias = gemm.bias + column;
  target.alpha = gemm.alpha;
  finish_vector(target, sums, columns);
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_BACKEND_CPU_GEMM_VECTOR_INL_H_
