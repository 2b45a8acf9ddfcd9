#pragma once

#include <cstdint>

#include "sesame/text/unicode/property_table.h"

namespace sesame {

/// What split grammars tell apart; every character has one kind.
enum class CharKind : uint8_t { other, lower, upper, caseless, number, space, mark, apart, rest };
inline constexpr int char_kinds = 9;

/// The kind of every code point: lower is \p{Ll}, upper \p{Lu}\p{Lt}, caseless \p{Lm}\p{Lo}; apart and rest are none.
const PropertyTable& char_kind_table();

/// The kinds for SplitGrammar::chinese_apart: apart is [\u4E00-\u9FA5\u3040-\u30FF], letters outside of ASCII are all
/// caseless, other is \p{P}\p{S}, and rest is what has no other kind.
const PropertyTable& chinese_apart_kind_table();

/// The characters of 64 bytes of text, a bit for every byte. A character's bytes all have its bits.
struct CharMasks {
  uint64_t lower = 0;
  uint64_t upper = 0;
  uint64_t caseless = 0;
  uint64_t number = 0;
  uint64_t space = 0;  // with line breaks and blanks
  uint64_t other = 0;
  uint64_t mark = 0;
  uint64_t apart = 0;
  uint64_t rest = 0;
  uint64_t line_break = 0;  // \r and \n
  uint64_t blank = 0;       // U+0020
  uint64_t apostrophe = 0;
  uint64_t slash = 0;
  uint64_t start = 0;  // the first bytes of characters
  uint64_t ascii = 0;

  [[nodiscard]] uint64_t letters() const { return lower | upper | caseless; }
};

}  // namespace sesame
