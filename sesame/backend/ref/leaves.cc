#include "sesame/backend/ref/ref_table.h"

namespace sesame::ref {
namespace {

template <typename T>
void constant(const KernelCall& call) {
  const double value = call.attributes_as<ConstantAttributes>().value;
  const T element = std::is_same_v<T, uint8_t> ? static_cast<T>(value != 0) : static_cast<T>(value);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i) y[i] = element;
}

void iota(const KernelCall& call) {
  const Shape& shape = call.out_shape(0);
  const int64_t columns = shape.rank() == 0 ? 1 : shape[-1];
  int32_t* y = call.out<int32_t>(0);
  for (int64_t i = 0; i < shape.elements(); ++i) y[i] = static_cast<int32_t>(i % columns);
}

}  // namespace

void add_leaf_kernels(RefTable& table) {
  table.set(Op::constant, DType::f32, constant<float>);
  table.set(Op::constant, DType::f64, constant<double>);
  table.set(Op::constant, DType::i32, constant<int32_t>);
  table.set(Op::constant, DType::boolean, constant<uint8_t>);
  table.set(Op::iota, DType::i32, iota);
}

}  // namespace sesame::ref
