#include "sesame/corpus/text_boundary.h"

#include <cstdint>

namespace sesame {
namespace {

uint8_t byte_at(std::string_view text, size_t index) { return static_cast<uint8_t>(text[index]); }

bool is_continuation(uint8_t byte) { return (byte & 0xC0u) == 0x80; }

/// Length of the character that starts at `index`: 1 to 4; 0 when no well-formed one starts there. One that the end of
/// the text cuts off has the length of what is there.
size_t character_length(std::string_view text, size_t index) {
  const uint8_t lead = byte_at(text, index);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (size_t i = 1; i < length; ++i) {
    if (index + i == text.size()) return i;
    const uint8_t byte = byte_at(text, index + i);
    if (!is_continuation(byte)) return 0;
    if (i > 1) continue;
    // The second byte rules out overlong forms, surrogates, and what lies above U+10FFFF.
    if ((lead == 0xE0 && byte < 0xA0) || (lead == 0xED && byte > 0x9F)) return 0;
    if ((lead == 0xF0 && byte < 0x90) || (lead == 0xF4 && byte > 0x8F)) return 0;
  }
  return length;
}

enum class After { space, other, letter };

/// What kind of character a line break is followed by, as far as one byte tells. White space beyond ASCII and most
/// marks have lead bytes below 0xE4; from there on it is CJK, Hangul and emoji.
After classify(uint8_t byte) {
  const bool alphanumeric =
      (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
  if (alphanumeric || byte >= 0xE4) return After::letter;
  return byte == ' ' || (byte >= '\t' && byte <= '\r') ? After::space : After::other;
}

}  // namespace

size_t count_invalid_utf8(std::string_view text) {
  size_t invalid = 0;
  for (size_t i = 0; i < text.size();) {
    const size_t length = character_length(text, i);
    invalid += length == 0;
    i += length == 0 ? 1 : length;
  }
  return invalid;
}

size_t piece_end(std::string_view text, size_t limit) {
  size_t behind_any = 0;
  size_t behind_other = 0;
  for (size_t end = limit; end > 0; --end) {
    if (text[end - 1] != '\n') continue;
    const After after = classify(byte_at(text, end));
    if (after == After::letter) return end;
    if (after == After::other && behind_other == 0) behind_other = end;
    if (behind_any == 0) behind_any = end;
  }
  if (behind_other > 0) return behind_other;
  if (behind_any > 0) return behind_any;
  constexpr size_t kLongestCharacter = 4;
  size_t end = limit;
  while (end > 1 && limit - end < kLongestCharacter && is_continuation(byte_at(text, end))) --end;
  return is_continuation(byte_at(text, end)) ? limit : end;
}

}  // namespace sesame
