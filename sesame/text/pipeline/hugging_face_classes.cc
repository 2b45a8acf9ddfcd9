#include "sesame/text/pipeline/hugging_face_classes.h"

#include "sesame/text/unicode/property_table.h"
#include "sesame/text/unicode/unicode_properties.h"
#include "sesame/text/unicode/unicode_runs.h"

namespace sesame::hugging_face {
namespace {

constexpr uint8_t word_bit = 1;
constexpr uint8_t numeric_bit = 2;

/// The first code point << 8 | the group, wherever the group changes.
constexpr uint32_t script_runs_of_hugging_face[] = {
#include "sesame/text/pipeline/hugging_face_scripts.inc"
};

uint8_t bits_of(GeneralCategory category, bool alphabetic) {
  switch (category) {
    case GeneralCategory::nd:
      return word_bit | numeric_bit;
    case GeneralCategory::mn:
    case GeneralCategory::mc:
    case GeneralCategory::me:
    case GeneralCategory::pc:
      return word_bit;
    case GeneralCategory::nl:
    case GeneralCategory::no:
      return alphabetic ? word_bit | numeric_bit : numeric_bit;
    default:
      return alphabetic ? word_bit : uint8_t{0};
  }
}

/// Runs of two properties that change at different places, walked together.
PropertyTable make_classes() {
  PropertyTable table;
  const auto end_of = [](std::span<const uint32_t> runs, size_t i) {
    return i + 1 < runs.size() ? runs[i + 1] >> 8 : PropertyTable::code_points;
  };
  size_t category = 0;
  size_t alphabetic = 0;
  for (uint32_t code = 0; code < PropertyTable::code_points;) {
    const uint32_t category_end = end_of(general_category_runs, category);
    const uint32_t alphabetic_end = end_of(alphabetic_runs, alphabetic);
    const uint32_t end = std::min(category_end, alphabetic_end);
    const uint8_t bits = bits_of(static_cast<GeneralCategory>(general_category_runs[category] & 0xFF),
                                 (alphabetic_runs[alphabetic] & 0xFF) != 0);
    if (bits != 0) table.set(code, end - 1, bits);
    if (end == category_end) ++category;
    if (end == alphabetic_end) ++alphabetic;
    code = end;
  }
  table.set(0x200C, 0x200D, word_bit);
  for (const auto& [first, last] : {std::pair{0x11DE0u, 0x11DE9u}, std::pair{0x16FF4u, 0x16FF6u}}) {
    table.set(first, last, numeric_bit);  // new in Unicode 17
  }
  return table;
}

uint8_t class_of(uint32_t code) noexcept {
  static const PropertyTable table = make_classes();
  return code < PropertyTable::code_points ? table.of(code) : uint8_t{0};
}

}  // namespace

bool is_word(uint32_t code) noexcept { return (class_of(code) & word_bit) != 0; }

bool is_numeric(uint32_t code) noexcept { return (class_of(code) & numeric_bit) != 0; }

uint8_t script_group(uint32_t code) noexcept {
  static const PropertyTable table(script_runs_of_hugging_face);
  return code < PropertyTable::code_points ? table.of(code) : uint8_t{0};
}

}  // namespace sesame::hugging_face
