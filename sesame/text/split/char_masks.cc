#include "sesame/text/split/char_masks.h"

#include "sesame/text/unicode/unicode_properties.h"
#include "sesame/text/unicode/unicode_runs.h"

namespace sesame {
namespace {

CharKind kind_of(GeneralCategory category) {
  switch (category) {
    case GeneralCategory::ll:
      return CharKind::lower;
    case GeneralCategory::lu:
    case GeneralCategory::lt:
      return CharKind::upper;
    case GeneralCategory::lm:
    case GeneralCategory::lo:
      return CharKind::caseless;
    case GeneralCategory::mn:
    case GeneralCategory::mc:
    case GeneralCategory::me:
      return CharKind::mark;
    case GeneralCategory::nd:
    case GeneralCategory::nl:
    case GeneralCategory::no:
      return CharKind::number;
    default:
      return CharKind::other;
  }
}

CharKind chinese_apart_kind_of(GeneralCategory category) {
  switch (category) {
    case GeneralCategory::cc:
    case GeneralCategory::cf:
    case GeneralCategory::cs:
    case GeneralCategory::co:
    case GeneralCategory::cn:
      return CharKind::rest;
    default:
      break;
  }
  const CharKind kind = kind_of(category);
  return kind == CharKind::lower || kind == CharKind::upper ? CharKind::caseless : kind;
}

PropertyTable table_of(CharKind (*kind)(GeneralCategory)) {
  PropertyTable table;
  const auto runs = general_category_runs;
  for (size_t i = 0; i < runs.size(); ++i) {
    const uint32_t stop = i + 1 < runs.size() ? runs[i + 1] >> 8 : PropertyTable::code_points;
    const auto category = static_cast<GeneralCategory>(runs[i] & 0xFF);
    table.set(runs[i] >> 8, stop - 1, static_cast<uint8_t>(kind(category)));
  }
  for (uint32_t code = 0; code <= 0x3000; ++code) {
    if (is_white_space(code)) table.set(code, code, static_cast<uint8_t>(CharKind::space));
  }
  return table;
}

}  // namespace

const PropertyTable& char_kind_table() {
  static const PropertyTable table = table_of(kind_of);
  return table;
}

const PropertyTable& chinese_apart_kind_table() {
  static const PropertyTable table = [] {
    PropertyTable kinds = table_of(chinese_apart_kind_of);
    kinds.set(0x3040, 0x30FF, static_cast<uint8_t>(CharKind::apart));
    kinds.set(0x4E00, 0x9FA5, static_cast<uint8_t>(CharKind::apart));
    return kinds;
  }();
  return table;
}

}  // namespace sesame
