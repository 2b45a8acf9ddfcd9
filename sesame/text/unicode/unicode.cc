#include "sesame/text/unicode/unicode.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode_properties.h"
#include "sesame/text/unicode/unicode_runs.h"

namespace sesame {
namespace {

uint8_t class_of(GeneralCategory category) {
  switch (category) {
    case GeneralCategory::lu:
    case GeneralCategory::lt:
      return char_letter | char_upper_like | char_word;
    case GeneralCategory::ll:
      return char_letter | char_lower_like | char_word;
    case GeneralCategory::lm:
    case GeneralCategory::lo:
      return char_letter | char_upper_like | char_lower_like | char_word;
    case GeneralCategory::mn:
      return char_nonspacing | char_upper_like | char_lower_like | char_word;
    case GeneralCategory::mc:
    case GeneralCategory::me:
      return char_upper_like | char_lower_like | char_word;
    case GeneralCategory::nd:
      return char_number | char_word;
    case GeneralCategory::nl:
      return char_number | char_word;
    case GeneralCategory::no:
      return char_number;
    case GeneralCategory::pc:
      return char_word;
    default:
      return 0;
  }
}

/// Applies `change` to every run of valid UTF-8 and copies the bytes between them.
template <typename Change>
std::string map_valid_runs(std::string_view text, Change change) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t run = find_invalid_utf8(text);
    if (run > 0) change(text.substr(0, run), out);
    if (run < text.size()) out += text[run];
    text.remove_prefix(std::min(text.size(), run + 1));
  }
  return out;
}

}  // namespace

Utf8Char decode_utf8(std::string_view text, size_t position) noexcept {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data()) + position;
  const size_t left = text.size() - position;
  const uint32_t first = bytes[0];
  if (first < 0x80) return {first, 1, true};
  const auto tail = [&](size_t i) { return i < left && (bytes[i] & 0xC0) == 0x80; };
  if (first >= 0xC2 && first <= 0xDF && tail(1)) return {((first & 0x1F) << 6) | (bytes[1] & 0x3Fu), 2, true};
  if ((first & 0xF0) == 0xE0 && tail(1) && tail(2)) {
    const uint32_t code = ((first & 0x0F) << 12) | ((bytes[1] & 0x3Fu) << 6) | (bytes[2] & 0x3Fu);
    if (code >= 0x800 && (code < 0xD800 || code > 0xDFFF)) return {code, 3, true};
  }
  if (first >= 0xF0 && first <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const uint32_t code =
        ((first & 0x07) << 18) | ((bytes[1] & 0x3Fu) << 12) | ((bytes[2] & 0x3Fu) << 6) | (bytes[3] & 0x3Fu);
    if (code >= 0x10000 && code <= 0x10FFFF) return {code, 4, true};
  }
  return {0xFFFD, 1, false};
}

void append_utf8(uint32_t code, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(static_cast<uint8_t>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

size_t find_invalid_utf8(std::string_view text) noexcept {
  size_t position = 0;
  while (position < text.size()) {
    const Utf8Char c = decode_utf8(text, position);
    if (!c.valid) return position;
    position += c.length;
  }
  return text.size();
}

namespace {

/// How many bytes at `begin`, where no whole character stands, could begin one (Unicode 15, table 3-7); 0 for none.
size_t unfinished_character(std::string_view text, size_t begin) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[begin + i]); };
  const uint8_t first = byte(0);
  if (first < 0xC2 || first > 0xF4) return 0;
  const size_t whole = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  size_t length = 1;
  for (; length < whole && begin + length < text.size(); ++length) {
    uint8_t low = 0x80;
    uint8_t high = 0xBF;
    if (length == 1) {
      if (first == 0xE0) low = 0xA0;
      if (first == 0xED) high = 0x9F;
      if (first == 0xF0) low = 0x90;
      if (first == 0xF4) high = 0x8F;
    }
    if (byte(length) < low || byte(length) > high) break;
  }
  return length;
}

}  // namespace

size_t begun_at_end(std::string_view bytes) noexcept {
  for (size_t size = 1; size <= std::min<size_t>(3, bytes.size()); ++size) {
    const size_t begin = bytes.size() - size;
    const auto first = static_cast<uint8_t>(bytes[begin]);
    if (first >= 0x80 && first < 0xC0) continue;
    return !decode_utf8(bytes, begin).valid && unfinished_character(bytes, begin) == size ? size : 0;
  }
  return 0;
}

std::string take_whole_utf8(std::string& pending, bool last) {
  std::string text;
  size_t i = 0;
  while (i < pending.size()) {
    const Utf8Char c = decode_utf8(pending, i);
    if (c.valid) {
      text.append(pending, i, c.length);
      i += c.length;
      continue;
    }
    const size_t begun = unfinished_character(pending, i);
    if (!last && begun > 0 && i + begun == pending.size()) break;
    text += "\xEF\xBF\xBD";
    i += std::max<size_t>(begun, 1);
  }
  pending.erase(0, i);
  return text;
}

CharClasses::CharClasses() {
  const auto runs = general_category_runs;
  for (size_t i = 0; i < runs.size(); ++i) {
    const uint32_t stop = i + 1 < runs.size() ? runs[i + 1] >> 8 : PropertyTable::code_points;
    table_.set(runs[i] >> 8, stop - 1, class_of(static_cast<GeneralCategory>(runs[i] & 0xFF)));
  }
  const auto add = [&](uint32_t code, uint8_t bits) {
    const uint8_t held = table_.of(code);
    if ((held & bits) != bits) table_.set(code, code, held | bits);
  };
  const auto alphabetic = alphabetic_runs;
  for (size_t i = 0; i + 1 < alphabetic.size(); ++i) {
    if ((alphabetic[i] & 0xFF) == 0) continue;
    for (uint32_t code = alphabetic[i] >> 8; code < alphabetic[i + 1] >> 8; ++code) add(code, char_word);
  }
  for (const uint32_t code : {0x200Cu, 0x200Du}) add(code, char_word);
  for (uint32_t code = 0; code <= 0x3000; ++code) {
    if (is_white_space(code)) add(code, char_space);
  }
  for (uint32_t code = 0; code < 128; ++code) ascii_[code] = of(code);
}

const CharClasses& CharClasses::get() {
  static const CharClasses classes;
  return classes;
}

CharClassAt classify_non_ascii(const CharClasses& classes, std::string_view text, size_t position) noexcept {
  const Utf8Char c = decode_utf8(text, position);
  return {c.valid ? classes.of(c.code) : uint8_t{0}, c.length};
}

std::string normalize_unicode(std::string_view text, UnicodeForm form) {
  unsigned options = UTF8PROC_STABLE;
  options |= form == UnicodeForm::nfc || form == UnicodeForm::nfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == UnicodeForm::nfkc || form == UnicodeForm::nfkd) options |= UTF8PROC_COMPAT;
  return map_valid_runs(text, [&](std::string_view run, std::string& out) {
    utf8proc_uint8_t* mapped = nullptr;
    const utf8proc_ssize_t size =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(run.data()), static_cast<utf8proc_ssize_t>(run.size()),
                     &mapped, static_cast<utf8proc_option_t>(options));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    if (size < 0) {
      fail(fmt::format("Unicode normalization of {} bytes of text failed: {}", run.size(), utf8proc_errmsg(size)));
    }
    out.append(reinterpret_cast<const char*>(mapped), static_cast<size_t>(size));
  });
}

std::string lowercase_unicode(std::string_view text) {
  return map_valid_runs(text, [](std::string_view run, std::string& out) {
    for (size_t i = 0; i < run.size();) {
      const Utf8Char c = decode_utf8(run, i);
      i += c.length;
      // The one character whose lower case is two code points in every context (SpecialCasing.txt).
      if (c.code == 0x130) {
        out += "i\xCC\x87";
      } else {
        append_utf8(static_cast<uint32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.code))), out);
      }
    }
  });
}

std::string strip_nonspacing_marks(std::string_view text) {
  const CharClasses& classes = CharClasses::get();
  return map_valid_runs(text, [&](std::string_view run, std::string& out) {
    for (size_t i = 0; i < run.size();) {
      const auto [bits, length] = classify_utf8(classes, run, i);
      if ((bits & char_nonspacing) == 0) out.append(run.substr(i, length));
      i += length;
    }
  });
}

}  // namespace sesame
