#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/unicode/unicode.h"

/// The Unicode normalization forms (UAX 15) by the tables of Hugging Face's library, Unicode 9, and with the alignment
/// that its normalizer gives.
namespace sesame {

/// A character of a changed text, and what it stands for: `change` is 0 for one character of the source, -n for it and
/// the n behind it, 1 for none (it comes in addition to the one before).
struct CharChange {
  uint32_t code;
  int32_t change;
};

/// Bytes [begin, end) of a text that a form may change; begin == end == text.size() where there are none.
struct Stretched {
  size_t begin;
  size_t end;
};

/// The first stretch at or behind `from` (the end of an earlier stretch, or 0) that may change; what lies before it
/// does not, and stretches do not touch each other's characters.
Stretched next_changing(std::string_view text, size_t from, UnicodeForm form);

/// The form of a text; nothing where the text is in it already, which most texts are and which takes one pass to see.
/// Bytes that are not UTF-8 stay where they are.
std::optional<std::string> to_unicode_form(std::string_view text, UnicodeForm form);

/// The form of a stretch. All of its bytes are UTF-8.
void change_to_form(std::string_view stretch, UnicodeForm form, std::vector<CharChange>& changed);

}  // namespace sesame
