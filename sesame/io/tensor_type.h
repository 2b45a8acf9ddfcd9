#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace sesame {

/// Element types of tensors in files, named as safetensors names them (F32, BF16, ...), in the order in which its
/// reference writer ranks them: by alignment, then as here.
enum class TensorType { boolean, u8, i8, i16, u16, f16, bf16, i32, u32, f32, f64, i64, u64 };

/// Bytes per element: 1, 2, 4 or 8.
size_t element_size(TensorType type);

/// "BOOL", "F32", "BF16", ...
std::string_view tensor_type_name(TensorType type);

/// The type of that name, or nothing.
std::optional<TensorType> tensor_type_named(std::string_view name);

/// bfloat16: the upper half of a float32.
inline float float_of_bf16(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

/// IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits; subnormals, infinities and NaN kept. Exact.
inline float float_of_f16(uint16_t bits) {
  const uint32_t sign = uint32_t{bits} >> 15 << 31;
  const uint32_t exponent = bits >> 10 & 0x1Fu;
  const uint32_t fraction = bits & 0x3FFu;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  const uint32_t wide_exponent = exponent == 0x1F ? 0xFFu : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

}  // namespace sesame
