#include "sesame/text/unicode/hugging_face_categories.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <initializer_list>
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

template <typename Range>
bool meets(std::span<const Range> ranges, uint32_t first, uint32_t last) noexcept {
  const Range* range = find_range(ranges, last);
  if (range != nullptr) return true;
  const auto ends_before = [](const Range& r, uint32_t c) { return r.last < c; };
  const auto next = std::lower_bound(ranges.begin(), ranges.end(), first, ends_before);
  return next != ranges.end() && next->first <= last;
}

bool covers(std::span<const CodeRange> ranges, uint32_t first, uint32_t last) noexcept {
  const CodeRange* range = find_range(ranges, first);
  return range != nullptr && range->last >= last;
}

bool has_decomposition_or_class(uint32_t code) noexcept {
  const auto* property = utf8proc_get_property(static_cast<utf8proc_int32_t>(code));
  return property->decomp_seqindex != UINT16_MAX || property->combining_class != 0;
}

constexpr CodeRange chinese_ranges[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
};
constexpr CodeRange hangul_ranges[] = {{0xAC00, 0xD7A3}};

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

bool is_chinese(uint32_t code) noexcept { return in(chinese_ranges, code); }

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

Alike what_is_alike(uint32_t first, uint32_t last) noexcept {
  if (covers(control_ranges, first, last)) return Alike::control;
  for (const std::span<const CodeRange> ranges : std::initializer_list<std::span<const CodeRange>>{
           control_ranges, white_space_ranges, punctuation_ranges, nonspacing_ranges, mark_ranges, hangul_ranges}) {
    if (meets(ranges, first, last)) return Alike::no;
  }
  if (meets<CaseRange>(lowercase_ranges, first, last)) return Alike::no;
  for (uint32_t code = first; code <= last; ++code) {
    if (has_decomposition_or_class(code)) return Alike::no;
  }
  if (!meets<CodeRange>(chinese_ranges, first, last)) return Alike::plain;
  return covers(chinese_ranges, first, last) ? Alike::chinese : Alike::no;
}

std::u32string decompose(std::u32string_view text) {
  std::u32string out;
  for (const char32_t code : text) append_decomposition(code, out);
  reorder_marks(out);
  return out;
}

}  // namespace sesame::hugging_face
