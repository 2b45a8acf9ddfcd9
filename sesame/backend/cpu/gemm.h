#pragma once

#include <cstddef>
#include <cstdint>

#include "sesame/base/thread_pool.h"

namespace sesame {

/// One float32 matrix product, or a batch of equal ones:
///
///   C[m, n] = alpha * op(A)[m, k] op(B)[k, n] (+ bias[n]) (+ D[m, n])
///
/// All matrices are row-major; lda, ldb, ldc, ldd are the distances between their stored rows, in floats.
/// transpose_a: A is stored as [k, m]. transpose_b: B is stored as [n, k]. D may be C itself (the product is then added
/// to what C holds); otherwise C overlaps no operand.
///
/// Batch i works on A + i * batch_stride_a and so on; a stride of 0 shares that operand (not C).
struct Gemm {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  bool transpose_a = false;
  bool transpose_b = false;

  const float* a = nullptr;
  int64_t lda = 0;
  const float* b = nullptr;
  int64_t ldb = 0;
  float* c = nullptr;
  int64_t ldc = 0;

  float alpha = 1;
  const float* bias = nullptr;
  const float* d = nullptr;
  int64_t ldd = 0;

  int64_t batch = 1;
  int64_t batch_stride_a = 0;
  int64_t batch_stride_b = 0;
  int64_t batch_stride_c = 0;
  int64_t batch_stride_d = 0;
};

/// Scratch memory that a product of this shape needs for each of `threads` threads together, a multiple of 64; only m,
/// n, k, batch and the transposes are read. At most about 1 MiB per thread.
size_t gemm_workspace_bytes(const Gemm& gemm, int threads);

/// Computes the product on all threads of the pool. `workspace`: 64-byte aligned, of gemm_workspace_bytes(gemm,
/// pool.threads()). Sums over k run in one fixed order, so the bits depend neither on the number of threads nor on how
/// C is cut into blocks: a row of C is the same whether it is computed alone in a smaller call with the same n and k or
/// not, except that products with m = 1 sum in an order of their own. m, n and k must be at least 1.
void gemm(const Gemm& gemm, std::byte* workspace, ThreadPool& pool);

/// The same on the calling thread alone, for use inside a block of a pool's job: `workspace` of
/// gemm_workspace_bytes(gemm, 1). The bits are those of gemm().
void gemm_serial(const Gemm& gemm, std::byte* workspace);

}  // namespace sesame
