#include "sesame/io/tensor_type.h"

#include <algorithm>
#include <array>

namespace sesame {
namespace {

struct TypeRow {
  TensorType type;
  std::string_view name;
  size_t size;
};

// In the order of the enumeration.
constexpr std::array<TypeRow, 13> kTypes = {{{TensorType::boolean, "BOOL", 1},
                                             {TensorType::u8, "U8", 1},
                                             {TensorType::i8, "I8", 1},
                                             {TensorType::i16, "I16", 2},
                                             {TensorType::u16, "U16", 2},
                                             {TensorType::f16, "F16", 2},
                                             {TensorType::bf16, "BF16", 2},
                                             {TensorType::i32, "I32", 4},
                                             {TensorType::u32, "U32", 4},
                                             {TensorType::f32, "F32", 4},
                                             {TensorType::f64, "F64", 8},
                                             {TensorType::i64, "I64", 8},
                                             {TensorType::u64, "U64", 8}}};

const TypeRow& row_of(TensorType type) { return kTypes[static_cast<size_t>(type)]; }

}  // namespace

size_t element_size(TensorType type) { return row_of(type).size; }

std::string_view tensor_type_name(TensorType type) { return row_of(type).name; }

std::optional<TensorType> tensor_type_named(std::string_view name) {
  const auto found = std::ranges::find(kTypes, name, &TypeRow::name);
  if (found == kTypes.end()) return std::nullopt;
  return found->type;
}

}  // namespace sesame
