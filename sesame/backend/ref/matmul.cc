#include "sesame/backend/ref/ref_table.h"

namespace sesame::ref {
namespace {

/// One matrix of a batch: element (row, column) of the operand after its transposition.
template <typename T>
struct Matrix {
  const T* data;
  int64_t columns;
  bool transposed;

  double operator()(int64_t row, int64_t column) const {
    return transposed ? data[column * columns + row] : data[row * columns + column];
  }
};

template <typename T>
void matmul(const KernelCall& call) {
  const auto& attributes = call.attributes_as<MatmulAttributes>();
  const Shape& a_shape = call.in_shape(0);
  const Shape& b_shape = call.in_shape(1);
  const Shape& y_shape = call.out_shape(0);
  const int64_t rows = y_shape[-2];
  const int64_t columns = y_shape[-1];
  const int64_t inner = attributes.transpose_a ? a_shape[-2] : a_shape[-1];
  const int64_t batches = y_shape.elements() / (rows * columns);
  // A b without leading axes serves every matrix of a.
  const int64_t b_step = b_shape.rank() == 2 ? 0 : inner * columns;
  const T* bias = attributes.bias ? call.in<T>(2) : nullptr;
  const T* accumulator = attributes.accumulate ? call.in<T>(attributes.bias ? 3 : 2) : nullptr;
  T* y = call.out<T>(0);
  for (int64_t batch = 0; batch < batches; ++batch) {
    const Matrix<T> a{call.in<T>(0) + batch * rows * inner, a_shape[-1], attributes.transpose_a};
    const Matrix<T> b{call.in<T>(1) + batch * b_step, b_shape[-1], attributes.transpose_b};
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column) {
        const int64_t at = (batch * rows + row) * columns + column;
        double sum = bias != nullptr ? double{bias[column]} : 0.0;
        if (accumulator != nullptr) sum += accumulator[at];
        for (int64_t k = 0; k < inner; ++k) sum += a(row, k) * b(k, column);
        y[at] = static_cast<T>(sum);
      }
    }
  }
}

}  // namespace

void add_matmul_kernels(RefTable& table) {
  table.set(Op::matmul, DType::f32, matmul<float>);
  table.set(Op::matmul, DType::f64, matmul<double>);
}

}  // namespace sesame::ref
