#include <cmath>

#include "sesame/backend/ref/dropout_mask.h"
#include "sesame/backend/ref/indexing.h"
#include "sesame/backend/ref/ref_table.h"
#include "sesame/backend/ref/scalar_formulas.h"

namespace sesame::ref {
namespace {

template <typename T, typename R, typename F>
void binary(const KernelCall& call) {
  const Shape& shape = call.out_shape(0);
  const Strides a_strides = broadcast_strides(call.in_shape(0), shape);
  const Strides b_strides = broadcast_strides(call.in_shape(1), shape);
  const T* a = call.in<T>(0);
  const T* b = call.in<T>(1);
  R* y = call.out<R>(0);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    y[i] = F::apply(a[offset_of(i, shape, a_strides)], b[offset_of(i, shape, b_strides)]);
  }
}

template <typename T>
void select(const KernelCall& call) {
  const Shape& shape = call.out_shape(0);
  const Strides condition_strides = broadcast_strides(call.in_shape(0), shape);
  const Strides a_strides = broadcast_strides(call.in_shape(1), shape);
  const Strides b_strides = broadcast_strides(call.in_shape(2), shape);
  const uint8_t* condition = call.in<uint8_t>(0);
  const T* a = call.in<T>(1);
  const T* b = call.in<T>(2);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    y[i] = condition[offset_of(i, shape, condition_strides)] != 0 ? a[offset_of(i, shape, a_strides)]
                                                                  : b[offset_of(i, shape, b_strides)];
  }
}

template <typename T, T (*F)(T)>
void unary(const KernelCall& call) {
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i) y[i] = F(x[i]);
}

template <typename To, typename From>
void cast_elements(const KernelCall& call) {
  const From* x = call.in<From>(0);
  To* y = call.out<To>(0);
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i) y[i] = convert<To>(x[i]);
}

template <typename From>
void cast_from(const KernelCall& call) {
  switch (call.outputs[0].type.dtype) {
    case DType::f32:
      return cast_elements<float, From>(call);
    case DType::f64:
      return cast_elements<double, From>(call);
    case DType::i32:
      return cast_elements<int32_t, From>(call);
    case DType::boolean:
      return cast_elements<uint8_t, From>(call);
  }
}

void cast(const KernelCall& call) {
  switch (call.inputs[0].type.dtype) {
    case DType::f32:
      return cast_from<float>(call);
    case DType::f64:
      return cast_from<double>(call);
    case DType::i32:
      return cast_from<int32_t>(call);
    case DType::boolean:
      return cast_from<uint8_t>(call);
  }
}

template <typename T>
void dropout(const KernelCall& call) {
  const auto& attributes = call.attributes_as<DropoutAttributes>();
  const DropoutMask mask(attributes.rate, attributes.key, *call.step);
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < call.outputs[0].elements(); ++i) y[i] = drop(x[i], mask(i));
}

template <typename T>
void add_arithmetic(RefTable& table) {
  table.set(Op::add, kDTypeOf<T>, binary<T, T, Add>);
  table.set(Op::sub, kDTypeOf<T>, binary<T, T, Sub>);
  table.set(Op::mul, kDTypeOf<T>, binary<T, T, Mul>);
  table.set(Op::div, kDTypeOf<T>, binary<T, T, Div>);
  table.set(Op::select, kDTypeOf<T>, select<T>);
}

template <typename T>
void add_floating(RefTable& table) {
  table.set(Op::less, kDTypeOf<T>, binary<T, uint8_t, Less>);
  table.set(Op::neg, kDTypeOf<T>, unary<T, negate<T>>);
  table.set(Op::exp, kDTypeOf<T>, unary<T, std::exp>);
  table.set(Op::log, kDTypeOf<T>, unary<T, std::log>);
  table.set(Op::sqrt, kDTypeOf<T>, unary<T, std::sqrt>);
  table.set(Op::tanh, kDTypeOf<T>, unary<T, std::tanh>);
  table.set(Op::sigmoid, kDTypeOf<T>, unary<T, sigmoid<T>>);
  table.set(Op::erf, kDTypeOf<T>, unary<T, std::erf>);
  table.set(Op::dropout, kDTypeOf<T>, dropout<T>);
}

}  // namespace

void add_elementwise_kernels(RefTable& table) {
  add_arithmetic<float>(table);
  add_arithmetic<double>(table);
  add_arithmetic<int32_t>(table);
  add_floating<float>(table);
  add_floating<double>(table);
  // The kernel of a comparison of int32 is found by its result.
  table.set(Op::less, DType::boolean, binary<int32_t, uint8_t, Less>);
  for (DType dtype : {DType::f32, DType::f64, DType::i32, DType::boolean}) table.set(Op::cast, dtype, cast);
}

}  // namespace sesame::ref
