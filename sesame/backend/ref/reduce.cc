#include <limits>

#include "sesame/backend/ref/indexing.h"
#include "sesame/backend/ref/ref_table.h"
#include "sesame/backend/ref/scalar_formulas.h"

namespace sesame::ref {
namespace {

/// The elements that are reduced into one: the sizes of the axes that shrink to 1.
Shape reduced_part(const Shape& from, const Shape& to) {
  Shape part = from;
  for (int axis = 0; axis < from.rank(); ++axis) {
    if (to[axis] == from[axis]) part = part.with(axis, 1);
  }
  return part;
}

template <typename T, typename Accumulator, Accumulator (*Join)(Accumulator, Accumulator)>
void reduce(const KernelCall& call, Accumulator start) {
  const Shape& from = call.in_shape(0);
  const Shape& to = call.out_shape(0);
  const Shape part = reduced_part(from, to);
  const Strides strides = strides_of(from);
  const T* x = call.in<T>(0);
  T* y = call.out<T>(0);
  for (int64_t i = 0; i < to.elements(); ++i) {
    const T* first = x + offset_of(i, to, strides);
    Accumulator joined = start;
    for (int64_t j = 0; j < part.elements(); ++j) joined = Join(joined, first[offset_of(j, part, strides)]);
    y[i] = static_cast<T>(joined);
  }
}

template <typename T>
void reduce_sum(const KernelCall& call) {
  reduce<T, double, plus>(call, 0.0);
}

template <typename T>
void reduce_max(const KernelCall& call) {
  reduce<T, double, larger>(call, -std::numeric_limits<double>::infinity());
}

}  // namespace

void add_reduce_kernels(RefTable& table) {
  table.set(Op::reduce_sum, DType::f32, reduce_sum<float>);
  table.set(Op::reduce_sum, DType::f64, reduce_sum<double>);
  table.set(Op::reduce_max, DType::f32, reduce_max<float>);
  table.set(Op::reduce_max, DType::f64, reduce_max<double>);
}

}  // namespace sesame::ref
