#include <fmt/format.h>

#include "sesame/backend/ref/ref_table.h"
#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame::ref {
namespace {

void check_ids(const KernelCall& call, const int32_t* ids, int64_t count, int64_t rows) {
  for (int64_t i = 0; i < count; ++i) {
    if (ids[i] < 0 || ids[i] >= rows) {
      fail(fmt::format("{}: id {} at position {} is outside [0, {}) (in {})", name_of(call.node->op), ids[i], i, rows,
                       call.node->scope.empty() ? "the graph" : call.node->scope));
    }
  }
}

template <typename T>
void embedding(const KernelCall& call) {
  const int64_t columns = call.in_shape(0)[1];
  const int64_t count = call.in_shape(1).elements();
  const int32_t* ids = call.in<int32_t>(1);
  check_ids(call, ids, count, call.in_shape(0)[0]);
  const T* table = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < columns; ++c) y[i * columns + c] = table[ids[i] * columns + c];
  }
}

template <typename T>
void embedding_grad(const KernelCall& call) {
  const auto& attributes = call.attributes_as<EmbeddingGradAttributes>();
  const int64_t columns = call.out_shape(0)[1];
  const int64_t count = call.in_shape(1).elements();
  const T* grad = call.in<T>(0);
  const int32_t* ids = call.in<int32_t>(1);
  check_ids(call, ids, count, attributes.rows);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < attributes.rows * columns; ++i) y[i] = attributes.accumulate ? call.in<T>(2)[i] : T{0};
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < columns; ++c) y[ids[i] * columns + c] += grad[i * columns + c];
  }
}

template <typename T>
void one_hot(const KernelCall& call) {
  const int64_t classes = call.out_shape(0)[-1];
  const int32_t* ids = call.in<int32_t>(0);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < call.in_shape(0).elements(); ++i) {
    for (int64_t c = 0; c < classes; ++c) y[i * classes + c] = ids[i] == c ? T{1} : T{0};
  }
}

template <typename T>
void add_floating(RefTable& table) {
  table.set(Op::embedding, kDTypeOf<T>, embedding<T>);
  table.set(Op::embedding_grad, kDTypeOf<T>, embedding_grad<T>);
  table.set(Op::one_hot, kDTypeOf<T>, one_hot<T>);
}

}  // namespace

void add_embedding_kernels(RefTable& table) {
  add_floating<float>(table);
  add_floating<double>(table);
}

}  // namespace sesame::ref
