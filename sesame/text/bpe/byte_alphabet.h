#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sesame {

/// GPT-2's spelling of bytes as printable characters: 33-126, 161-172 and 174-255 stand for themselves, the other 68
/// bytes, in order, for U+0100 to U+0143.
uint32_t byte_to_code_point(uint8_t byte) noexcept;

/// The bytes spelled so.
std::string spell_bytes(std::string_view bytes);

/// The bytes that a spelling stands for; nothing where a character is outside the alphabet.
std::optional<std::string> unspell_bytes(std::string_view spelling);

/// "<0x0A>" for a byte, and back: the byte tokens of SentencePiece.
std::string byte_token(uint8_t byte);
std::optional<uint8_t> parse_byte_token(std::string_view token);

}  // namespace sesame
