#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sesame/text/unicode/property_table.h"

namespace sesame {

/// Classes of a code point as the split patterns need them; several bits may be set.
enum CharClass : uint8_t {
  char_letter = 1,       // \p{L}
  char_number = 2,       // \p{N}
  char_space = 4,        // \s: White_Space, so not U+001C..U+001F
  char_upper_like = 8,   // \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}
  char_lower_like = 16,  // \p{Ll}\p{Lm}\p{Lo}\p{M}
  char_nonspacing = 32,  // \p{Mn}
  char_word = 64,        // \w: Alphabetic, marks, decimal numbers, connector punctuation, join controls (UTS 18)
};

/// One character of a byte string: `length` bytes (1 to 4). Bytes that are not UTF-8 come one at a time, `valid` false
/// and `code` U+FFFD.
struct Utf8Char {
  uint32_t code;
  uint8_t length;
  bool valid;
};

/// The character at `position` < text.size(). Overlong forms, surrogates and values above U+10FFFF are not valid.
Utf8Char decode_utf8(std::string_view text, size_t position) noexcept;

/// Appends the UTF-8 of a code point <= U+10FFFF.
void append_utf8(uint32_t code, std::string& out);

/// The first byte that is not UTF-8, or text.size().
size_t find_invalid_utf8(std::string_view text) noexcept;

/// How many bytes at the end are the first ones of a character that needs more; 0 to 3.
size_t begun_at_end(std::string_view bytes) noexcept;

/// Takes from the front of `pending` what can be shown: whole characters, and U+FFFD for every maximal run of bytes
/// that begins no character (Unicode 15, section 3.9). Bytes of a character that may still be completed stay, unless
/// `last`.
std::string take_whole_utf8(std::string& pending, bool last);

/// The class bits of every code point, by Unicode 16 (unicode_runs.h).
class CharClasses {
 public:
  [[nodiscard]] uint8_t of(uint32_t code) const noexcept { return table_.of(code); }
  [[nodiscard]] uint8_t of_ascii(uint8_t byte) const noexcept { return ascii_[byte]; }
  static const CharClasses& get();

 private:
  CharClasses();
  PropertyTable table_;
  uint8_t ascii_[128];
};

/// The class bits of a character and its bytes. What is not UTF-8 has no bits and is one byte.
struct CharClassAt {
  uint8_t bits;
  uint8_t length;
};

CharClassAt classify_non_ascii(const CharClasses& classes, std::string_view text, size_t position) noexcept;

/// The character at `position` < text.size().
inline CharClassAt classify_utf8(const CharClasses& classes, std::string_view text, size_t position) noexcept {
  const auto byte = static_cast<uint8_t>(text[position]);
  if (byte < 0x80) return {classes.of_ascii(byte), 1};
  return classify_non_ascii(classes, text, position);
}

enum class UnicodeForm : uint8_t { nfc, nfd, nfkc, nfkd };

/// The normalization form of the UTF-8 in a string; bytes that are not UTF-8 stay where they are.
std::string normalize_unicode(std::string_view text, UnicodeForm form);

/// Lower case character by character, without context (a final sigma stays U+03C3), as Rust's char::to_lowercase.
std::string lowercase_unicode(std::string_view text);

/// The text without nonspacing marks (\p{Mn}).
std::string strip_nonspacing_marks(std::string_view text);

}  // namespace sesame
