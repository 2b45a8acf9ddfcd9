#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "sesame/text/unicode/script.h"

/// Properties of code points by Unicode 16 (unicode_runs.h says why). Code points above U+10FFFF have those of
/// unassigned ones.
namespace sesame {

enum class GeneralCategory : uint8_t {
  lu,
  ll,
  lt,
  lm,
  lo,
  mn,
  mc,
  me,
  nd,
  nl,
  no,
  pc,
  pd,
  ps,
  pe,
  pi,
  pf,
  po,
  sm,
  sc,
  sk,
  so,
  zs,
  zl,
  zp,
  cc,
  cf,
  cs,
  co,
  cn
};

GeneralCategory general_category(uint32_t code) noexcept;

/// Whether a category is one of the set that a name of one or two letters stands for: "L", "Lu", "P" ...; no set for
/// another name. Bit i is GeneralCategory i.
std::optional<uint32_t> category_set(std::string_view name);

Script script_of(uint32_t code) noexcept;

/// The script with a name as in `\p{Han}`, by the long names of PropertyValueAliases.txt.
std::optional<Script> script_named(std::string_view name);

/// "Latin", "Han", ...
std::string_view script_name(Script script) noexcept;

/// White_Space: what Rust's char::is_whitespace and \s mean. Not U+001C..U+001F.
bool is_white_space(uint32_t code) noexcept;

/// The end of the extended grapheme cluster that begins at `position` < text.size() (UAX 29). A byte that is not UTF-8
/// is a cluster of its own.
size_t next_grapheme(std::string_view text, size_t position) noexcept;

}  // namespace sesame
