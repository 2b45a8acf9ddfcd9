#include <cmath>

#include "sesame/backend/ref/ref_table.h"

namespace sesame::ref {
namespace {

/// x [rows, columns]: all but the last axis are rows.
struct Rows {
  int64_t rows;
  int64_t columns;

  explicit Rows(const Shape& shape) : rows(shape.elements() / shape[-1]), columns(shape[-1]) {}
};

// x, gain, bias -> y, mean, rstd
template <typename T>
void layer_norm(const KernelCall& call) {
  const double epsilon = call.attributes_as<NormAttributes>().epsilon;
  const Rows size(call.in_shape(0));
  const T* gain = call.in<T>(1);
  const T* bias = call.in<T>(2);
  for (int64_t r = 0; r < size.rows; ++r) {
    const T* x = call.in<T>(0) + r * size.columns;
    T* y = call.out<T>(0) + r * size.columns;
    double mean = 0;
    for (int64_t c = 0; c < size.columns; ++c) mean += x[c];
    mean /= static_cast<double>(size.columns);
    double variance = 0;
    for (int64_t c = 0; c < size.columns; ++c) variance += (x[c] - mean) * (x[c] - mean);
    variance /= static_cast<double>(size.columns);
    const double rstd = 1 / std::sqrt(variance + epsilon);
    for (int64_t c = 0; c < size.columns; ++c) y[c] = static_cast<T>((x[c] - mean) * rstd * gain[c] + bias[c]);
    call.out<T>(1)[r] = static_cast<T>(mean);
    call.out<T>(2)[r] = static_cast<T>(rstd);
  }
}

// x, gain, mean, rstd, dy -> dx, dgain, dbias
template <typename T>
void layer_norm_grad(const KernelCall& call) {
  const Rows size(call.in_shape(0));
  const T* gain = call.in<T>(1);
  const T* mean = call.in<T>(2);
  const T* rstd = call.in<T>(3);
  const auto normal = [&](int64_t r, int64_t c) {
    return (double{call.in<T>(0)[r * size.columns + c]} - mean[r]) * rstd[r];
  };
  const auto dy = [&](int64_t r, int64_t c) { return double{call.in<T>(4)[r * size.columns + c]}; };
  // First the sums over rows: dx may lie where dy lies.
  for (int64_t c = 0; c < size.columns; ++c) {
    double dgain = 0;
    double dbias = 0;
    for (int64_t r = 0; r < size.rows; ++r) {
      dgain += dy(r, c) * normal(r, c);
      dbias += dy(r, c);
    }
    call.out<T>(1)[c] = static_cast<T>(dgain);
    call.out<T>(2)[c] = static_cast<T>(dbias);
  }
  for (int64_t r = 0; r < size.rows; ++r) {
    double sum = 0;         // of the gradient of the normalised row
    double projection = 0;  // of that gradient on the normalised row
    for (int64_t c = 0; c < size.columns; ++c) {
      sum += dy(r, c) * gain[c];
      projection += dy(r, c) * gain[c] * normal(r, c);
    }
    sum /= static_cast<double>(size.columns);
    projection /= static_cast<double>(size.columns);
    for (int64_t c = 0; c < size.columns; ++c) {
      call.out<T>(0)[r * size.columns + c] =
          static_cast<T>(rstd[r] * (dy(r, c) * gain[c] - sum - normal(r, c) * projection));
    }
  }
}

// x, gain -> y, rstd
template <typename T>
void rms_norm(const KernelCall& call) {
  const double epsilon = call.attributes_as<NormAttributes>().epsilon;
  const Rows size(call.in_shape(0));
  const T* gain = call.in<T>(1);
  for (int64_t r = 0; r < size.rows; ++r) {
    const T* x = call.in<T>(0) + r * size.columns;
    T* y = call.out<T>(0) + r * size.columns;
    double squares = 0;
    for (int64_t c = 0; c < size.columns; ++c) squares += double{x[c]} * x[c];
    const double rstd = 1 / std::sqrt(squares / static_cast<double>(size.columns) + epsilon);
    for (int64_t c = 0; c < size.columns; ++c) y[c] = static_cast<T>(x[c] * rstd * gain[c]);
    call.out<T>(1)[r] = static_cast<T>(rstd);
  }
}

// x, gain, rstd, dy -> dx, dgain
template <typename T>
void rms_norm_grad(const KernelCall& call) {
  const Rows size(call.in_shape(0));
  const T* gain = call.in<T>(1);
  const T* rstd = call.in<T>(2);
  const auto normal = [&](int64_t r, int64_t c) { return double{call.in<T>(0)[r * size.columns + c]} * rstd[r]; };
  const auto dy = [&](int64_t r, int64_t c) { return double{call.in<T>(3)[r * size.columns + c]}; };
  for (int64_t c = 0; c < size.columns; ++c) {
    double dgain = 0;
    for (int64_t r = 0; r < size.rows; ++r) dgain += dy(r, c) * normal(r, c);
    call.out<T>(1)[c] = static_cast<T>(dgain);
  }
  for (int64_t r = 0; r < size.rows; ++r) {
    double projection = 0;
    for (int64_t c = 0; c < size.columns; ++c) projection += dy(r, c) * gain[c] * normal(r, c);
    projection /= static_cast<double>(size.columns);
    for (int64_t c = 0; c < size.columns; ++c) {
      call.out<T>(0)[r * size.columns + c] = static_cast<T>(rstd[r] * (dy(r, c) * gain[c] - normal(r, c) * projection));
    }
  }
}

template <typename T>
void add_floating(RefTable& table) {
  table.set(Op::layer_norm, kDTypeOf<T>, layer_norm<T>);
  table.set(Op::layer_norm_grad, kDTypeOf<T>, layer_norm_grad<T>);
  table.set(Op::rms_norm, kDTypeOf<T>, rms_norm<T>);
  table.set(Op::rms_norm_grad, kDTypeOf<T>, rms_norm_grad<T>);
}

}  // namespace

void add_norm_kernels(RefTable& table) {
  add_floating<float>(table);
  add_floating<double>(table);
}

}  // namespace sesame::ref
