#include "sesame/backend/cpu/gemm.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/backend/cpu/gemm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/backend/cpu/gemm_block-inl.h"
#include "sesame/backend/cpu/gemm_vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

// Elements of B below which waking another thread takes longer than reading them.
constexpr int64_t kLeastParallelVector = 32 * 1024;

GemmPlan plan_for(const Gemm& gemm, int threads) { return gemm_plan(gemm, kGemmTile, threads); }

size_t workspace_bytes(const Gemm& gemm, int threads) {
  if (gemm.m == 1 && !gemm.transpose_a) return 0;
  return BlockScratch::bytes(plan_for(gemm, threads)) * static_cast<size_t>(threads);
}

void multiply_vectors(const Gemm& gemm, ThreadPool* pool) {
  const int64_t blocks = vector_blocks(gemm);
  if (pool == nullptr || pool->threads() == 1 || gemm.batch * gemm.n * gemm.k < kLeastParallelVector) {
    for (int64_t block = 0; block < blocks; ++block) multiply_vector(gemm, block);
    return;
  }
  pool->run(blocks, [&](int64_t block, int) { multiply_vector(gemm, block); });
}

void multiply(const Gemm& gemm, std::byte* workspace, ThreadPool* pool) {
  if (is_vector_product(gemm)) {
    multiply_vectors(gemm, pool);
    return;
  }
  const int threads = pool == nullptr ? 1 : pool->threads();
  const GemmPlan plan = plan_for(gemm, threads);
  const size_t scratch_bytes = BlockScratch::bytes(plan);
  const int64_t blocks = plan.blocks(gemm);
  if (threads == 1 || blocks == 1) {
    BlockScratch scratch(plan, workspace);
    scratch.forget();
    for (int64_t block = 0; block < blocks; ++block) multiply_block(gemm, plan, block, scratch);
    return;
  }
  for (int thread = 0; thread < threads; ++thread) {
    BlockScratch(plan, workspace + static_cast<size_t>(thread) * scratch_bytes).forget();
  }
  pool->run(blocks, [&](int64_t block, int thread) {
    BlockScratch scratch(plan, workspace + static_cast<size_t>(thread) * scratch_bytes);
    multiply_block(gemm, plan, block, scratch);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {

HWY_EXPORT(workspace_bytes);
HWY_EXPORT(multiply);

size_t gemm_workspace_bytes(const Gemm& gemm, int threads) {
  return HWY_DYNAMIC_DISPATCH(workspace_bytes)(gemm, threads);
}

void gemm(const Gemm& gemm, std::byte* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(multiply)(gemm, workspace, &pool);
}

void gemm_serial(const Gemm& gemm, std::byte* workspace) { HWY_DYNAMIC_DISPATCH(multiply)(gemm, workspace, nullptr); }

}  // namespace sesame
#endif
