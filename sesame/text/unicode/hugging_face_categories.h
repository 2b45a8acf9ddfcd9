#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Properties of characters as Hugging Face's tokenizers 0.23 has them. It mixes Unicode versions: punctuation,
/// controls and nonspacing marks are of Unicode 7, decompositions of Unicode 9, lower case of Rust's library (Unicode
/// 17). Tokens depend on it, so Sesame has the same (hugging_face_category_tables.h).
namespace sesame::hugging_face {

/// What BertNormalizer's clean_text drops: U+0000, U+FFFD, controls but for tab, line feed and carriage return, formats
/// and private use.
[[nodiscard]] bool is_control(uint32_t code) noexcept;

/// White space, for clean_text and every pre-tokenizer: White_Space of Unicode.
[[nodiscard]] bool is_white_space(uint32_t code) noexcept;

/// Punctuation of BertPreTokenizer and Punctuation: all ASCII that is neither letter, digit, space nor control, and the
/// categories P*.
[[nodiscard]] bool is_punctuation(uint32_t code) noexcept;

/// BertNormalizer's Chinese characters: Google's, but for U+2B820..U+2B91F.
[[nodiscard]] bool is_chinese(uint32_t code) noexcept;

/// What BertNormalizer's strip_accents drops after decomposition: the category Mn.
[[nodiscard]] bool is_nonspacing_mark(uint32_t code) noexcept;

/// What the normalizer StripAccents drops: the categories M*.
[[nodiscard]] bool is_mark(uint32_t code) noexcept;

/// Canonical_Combining_Class, by which NFD orders marks; 0 for most characters.
[[nodiscard]] uint8_t combining_class(uint32_t code) noexcept;

/// Appends the full canonical decomposition of a character, itself where it has none.
void append_decomposition(uint32_t code, std::u32string& out);

/// Appends the lower case of a character, without context: two characters for U+0130.
void append_lowercase(uint32_t code, std::u32string& out);

/// What all characters of a range have in common, where it is simple.
enum class Alike : uint8_t {
  no,
  plain,    // of none of the classes above; no marks, decompositions or case
  chinese,  // as plain, but Chinese
  control,
};
[[nodiscard]] Alike what_is_alike(uint32_t first, uint32_t last) noexcept;

/// NFD: every character decomposed, marks in order.
[[nodiscard]] std::u32string decompose(std::u32string_view text);

}  // namespace sesame::hugging_face
