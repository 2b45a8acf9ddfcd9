#include <fmt/format.h>

#include <cmath>

#include "sesame/backend/ref/ref_table.h"
#include "sesame/base/error.h"

namespace sesame::ref {
namespace {

// x [batch, time, width], start [1] -> y
template <typename T>
void rope(const KernelCall& call) {
  const auto& attributes = call.attributes_as<RopeAttributes>();
  const Shape& shape = call.in_shape(0);
  const int64_t start = *call.in<int32_t>(1);
  if (start < 0) fail(fmt::format("rope: the first position is {}; it must be 0 or more", start));
  const int64_t half = attributes.head_dim / 2;
  for (int64_t row = 0; row < shape[0] * shape[1]; ++row) {
    const T* x = call.in<T>(0) + row * shape[2];
    T* y = call.out<T>(0) + row * shape[2];
    for (int64_t i = attributes.heads * attributes.head_dim; i < shape[2]; ++i) y[i] = x[i];
    const double position = static_cast<double>(start + row % shape[1]) / attributes.scaling;
    for (int64_t head = 0; head < attributes.heads; ++head) {
      for (int64_t j = 0; j < half; ++j) {
        const double exponent = -2.0 * static_cast<double>(j) / static_cast<double>(attributes.head_dim);
        const double angle = position * std::pow(attributes.theta, exponent);
        const double cosine = std::cos(angle);
        const double sine = attributes.inverse ? -std::sin(angle) : std::sin(angle);
        const int64_t first = head * attributes.head_dim + j;
        const double a = x[first];
        const double b = x[first + half];
        y[first] = static_cast<T>(a * cosine - b * sine);
        y[first + half] = static_cast<T>(b * cosine + a * sine);
      }
    }
  }
}

}  // namespace

void add_rope_kernels(RefTable& table) {
  table.set(Op::rope, DType::f32, rope<float>);
  table.set(Op::rope, DType::f64, rope<double>);
}

}  // namespace sesame::ref
