#include "sesame/text/unicode/hugging_face_categories.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

#include "sesame/text/unicode/hugging_face_category_tables.h"

namespace sesame::hugging_face {
namespace {

/// The range that holds `code`, or null.
template <typename Range>
const Range* find_range(std::span<const Range> ranges, uint32_t code) noexcept {
  const auto before = [](uint32_t c, const Range& range) { return c < range.first; };
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), code, before);
  if (after == ranges.begin() || std::prev(after)->last < code) return nullptr;
  return &*std::prev(after);
}

bool in(std::span<const CodeRange> ranges, uint32_t code) noexcept { return find_range(ranges, code) != nullptr; }

/// Sorts every run of marks by combining class; marks of one class keep their order.
void reorder_marks(std::u32string& text) {
  for (size_t begin = 0; begin < text.size(); ++begin) {
    if (combining_class(text[begin]) == 0) continue;
    size_t end = begin + 1;
    while (end < text.size() && combining_class(text[end]) != 0) ++end;
    const auto by_class = [](char32_t a, char32_t b) { return combining_class(a) < combining_class(b); };
    std::stable_sort(text.begin() + static_cast<ptrdiff_t>(begin), text.begin() + static_cast<ptrdiff_t>(end),
                     by_class);
    begin = end;
  }
}

}  // namespace

bool is_control(uint32_t code) noexcept { return in(control_ranges, code); }

bool is_white_space(uint32_t code) noexcept { return in(white_space_ranges, code); }

bool is_punctuation(uint32_t code) noexcept { return in(punctuation_ranges, code); }

bool is_chinese(uint32_t code) noexcept {
  static constexpr CodeRange ranges[] = {
      {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
      {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
  };
  return in(ranges, code);
}

bool is_nonspacing_mark(uint32_t code) noexcept { return in(nonspacing_ranges, code); }

bool is_mark(uint32_t code) noexcept { return in(mark_ranges, code); }

uint8_t combining_class(uint32_t code) noexcept {
  if (code < 0x300) return 0;
  const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
  if (property->combining_class == 0 || in(newer_ranges, code)) return 0;
  return static_cast<uint8_t>(property->combining_class);
}

void append_decomposition(uint32_t code, std::u32string& out) {
  if (code < 0xC0 || in(newer_ranges, code)) {
    out += static_cast<char32_t>(code);
    return;
  }
  std::array<utf8proc_int32_t, 8> parts{};
  int boundary = 0;
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code), parts.data(), parts.size(),
                              static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &boundary);
  for (utf8proc_ssize_t i = 0; i < count; ++i) out += static_cast<char32_t>(parts[static_cast<size_t>(i)]);
}

void append_lowercase(uint32_t code, std::u32string& out) {
  if (code == 0x130) {
    out += U"i\u0307";
    return;
  }
  const CaseRange* range = find_range<CaseRange>(lowercase_ranges, code);
  const bool upper = range != nullptr && (code - range->first) % range->step == 0;
  out += static_cast<char32_t>(upper ? code + static_cast<uint32_t>(range->distance) : code);
}

std::u32string decompose(std::u32string_view text) {
  std::u32string out;
  for (const char32_t code : text) append_decomposition(code, out);
  reorder_marks(out);
  return out;
}

}  // namespace sesame::hugging_face
