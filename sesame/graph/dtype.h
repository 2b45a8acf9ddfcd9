#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sesame {

/// Element types of tensors. float64 exists for gradient checks; int32 carries token ids; boolean is one byte, 0 or 1.
enum class DType : uint8_t { f32, f64, i32, boolean };

constexpr size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f64:
      return 8;
    case DType::boolean:
      return 1;
  }
  return 0;
}

constexpr std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "float32";
    case DType::f64:
      return "float64";
    case DType::i32:
      return "int32";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

constexpr bool is_floating(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

}  // namespace sesame
