#pragma once

#include <cstdint>

/// Classes of characters that pre-tokenizers and added tokens go by, as Hugging Face's library has them
/// (unicode/hugging_face_categories.h has those of normalizers).
namespace sesame::hugging_face {

/// \w of Rust's regular expressions: Alphabetic, marks, decimal digits, connecting punctuation, joiners.
[[nodiscard]] bool is_word(uint32_t code) noexcept;

/// Rust's char::is_numeric: the categories N* of Unicode 17.
[[nodiscard]] bool is_numeric(uint32_t code) noexcept;

/// The script of a character as UnicodeScripts groups them: 0 goes with every script.
[[nodiscard]] uint8_t script_group(uint32_t code) noexcept;

}  // namespace sesame::hugging_face
