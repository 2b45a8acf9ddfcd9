#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/backend/cpu/kernels.h"
#include "sesame/base/error.h"

// Row copies and row sums; the compiler's own vectors do.

namespace sesame {
namespace {

/// Throws Error naming the first id outside [0, rows).
void check_ids(const char* op, const int32_t* ids, int64_t count, int64_t rows) {
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] >= 0 && ids[i] < rows) continue;
    fail(fmt::format("{}: id {} at position {} is outside the vocabulary of {} rows: ids must lie in [0, {})", op,
                     ids[i], i, rows, rows));
  }
}

void embedding(const KernelCall& call) {
  const int64_t rows = call.in_shape(0)[0], width = call.in_shape(0)[1], count = call.inputs[1].elements();
  const float* table = call.in<float>(0);  // [rows, width]
  const int32_t* ids = call.in<int32_t>(1);
  float* out = call.out<float>(0);  // [count, width]
  check_ids("embedding", ids, count, rows);
  run_blocks(*call.threads, count, rows_per_block(width), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) std::copy_n(table + ids[i] * width, width, out + i * width);
  });
}

/// Adds each row of the gradient at its id. Blocks are ranges of columns: each sees all ids in their order.
void embedding_grad(const KernelCall& call) {
  const auto& attributes = call.attributes_as<EmbeddingGradAttributes>();
  const int64_t rows = attributes.rows, width = call.out_shape(0)[1], count = call.inputs[1].elements();
  const float* grad = call.in<float>(0);  // [count, width]
  const int32_t* ids = call.in<int32_t>(1);
  const float* accumulator = attributes.accumulate ? call.in<float>(2) : nullptr;
  float* out = call.out<float>(0);  // [rows, width]
  check_ids("embedding_grad", ids, count, rows);
  if (out != accumulator) {
    run_blocks(*call.threads, rows * width, kElementsPerBlock, [&](int64_t begin, int64_t end) {
      if (accumulator == nullptr) {
        std::fill(out + begin, out + end, 0.0f);
      } else {
        std::copy(accumulator + begin, accumulator + end, out + begin);
      }
    });
  }
  constexpr int64_t kColumns = 64;
  run_blocks(*call.threads, width, kColumns, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < count; ++i) {
      const float* from = grad + i * width;
      float* to = out + ids[i] * width;
      for (int64_t column = begin; column < end; ++column) to[column] += from[column];
    }
  });
}

void one_hot(const KernelCall& call) {
  const int64_t classes = call.out_shape(0)[-1], count = call.inputs[0].elements();
  const int32_t* ids = call.in<int32_t>(0);
  float* out = call.out<float>(0);  // [count, classes]
  run_blocks(*call.threads, count, rows_per_block(classes), [&](int64_t begin, int64_t end) {
    std::fill(out + begin * classes, out + end * classes, 0.0f);
    for (int64_t i = begin; i < end; ++i) {
      if (ids[i] >= 0 && ids[i] < classes) out[i * classes + ids[i]] = 1.0f;
    }
  });
}

}  // namespace

const Kernel cpu_embedding = {embedding};
const Kernel cpu_embedding_grad = {embedding_grad};
const Kernel cpu_one_hot = {one_hot};

}  // namespace sesame
