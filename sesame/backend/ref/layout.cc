#include "sesame/backend/ref/indexing.h"
#include "sesame/backend/ref/ref_table.h"

namespace sesame::ref {
namespace {

template <typename T>
void permute(const KernelCall& call) {
  const auto& order = call.attributes_as<AxesAttributes>().axes;
  const Strides own = strides_of(call.in_shape(0));
  Strides strides{};
  for (size_t axis = 0; axis < order.size(); ++axis) strides[axis] = own[static_cast<size_t>(order[axis])];
  const Shape& shape = call.out_shape(0);
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < shape.elements(); ++i) y[i] = x[offset_of(i, shape, strides)];
}

template <typename T>
void broadcast_to(const KernelCall& call) {
  const Shape& shape = call.out_shape(0);
  const Strides strides = broadcast_strides(call.in_shape(0), shape);
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < shape.elements(); ++i) y[i] = x[offset_of(i, shape, strides)];
}

/// A tensor as [before, along, after] around one axis.
struct AroundAxis {
  int64_t before = 1;
  int64_t after = 1;

  AroundAxis(const Shape& shape, int axis) {
    for (int i = 0; i < axis; ++i) before *= shape[i];
    for (int i = axis + 1; i < shape.rank(); ++i) after *= shape[i];
  }
};

template <typename T>
void slice(const KernelCall& call) {
  const auto& attributes = call.attributes_as<SliceAttributes>();
  const int axis = static_cast<int>(attributes.axis);
  const AroundAxis around(call.out_shape(0), axis);
  const int64_t from = call.in_shape(0)[axis];
  const int64_t to = call.out_shape(0)[axis];
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t b = 0; b < around.before; ++b) {
    for (int64_t i = 0; i < to; ++i) {
      for (int64_t a = 0; a < around.after; ++a) {
        y[(b * to + i) * around.after + a] = x[(b * from + attributes.begin + i) * around.after + a];
      }
    }
  }
}

template <typename T>
void pad(const KernelCall& call) {
  const auto& attributes = call.attributes_as<SliceAttributes>();
  const int axis = static_cast<int>(attributes.axis);
  const AroundAxis around(call.out_shape(0), axis);
  const int64_t from = call.in_shape(0)[axis];
  const int64_t to = call.out_shape(0)[axis];
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t b = 0; b < around.before; ++b) {
    for (int64_t i = 0; i < to; ++i) {
      const int64_t source = i - attributes.begin;
      for (int64_t a = 0; a < around.after; ++a) {
        const bool inside = 0 <= source && source < from;
        y[(b * to + i) * around.after + a] = inside ? x[(b * from + source) * around.after + a] : T{0};
      }
    }
  }
}

template <typename T>
void add_layout(RefTable& table) {
  table.set(Op::permute, kDTypeOf<T>, permute<T>);
  table.set(Op::broadcast_to, kDTypeOf<T>, broadcast_to<T>);
  table.set(Op::slice, kDTypeOf<T>, slice<T>);
  table.set(Op::pad, kDTypeOf<T>, pad<T>);
}

}  // namespace

void add_layout_kernels(RefTable& table) {
  add_layout<float>(table);
  add_layout<double>(table);
  add_layout<int32_t>(table);
  add_layout<uint8_t>(table);
}

}  // namespace sesame::ref
