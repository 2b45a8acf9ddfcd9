#include "sesame/text/bpe/byte_alphabet.h"

#include <fmt/format.h>

#include <array>

#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

constexpr uint32_t first_borrowed = 0x100;
constexpr uint32_t alphabet_end = first_borrowed + 68;

struct Alphabet {
  std::array<uint32_t, 256> code_points{};
  std::array<int16_t, alphabet_end> bytes{};

  constexpr Alphabet() {
    bytes.fill(-1);
    uint32_t borrowed = first_borrowed;
    for (uint32_t b = 0; b < 256; ++b) {
      const bool printable = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
      const uint32_t code = printable ? b : borrowed++;
      code_points[b] = code;
      bytes[code] = static_cast<int16_t>(b);
    }
  }
};

constexpr Alphabet alphabet;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

uint32_t byte_to_code_point(uint8_t byte) noexcept { return alphabet.code_points[byte]; }

std::string spell_bytes(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(byte_to_code_point(static_cast<uint8_t>(c)), out);
  return out;
}

std::optional<std::string> unspell_bytes(std::string_view spelling) {
  std::string out;
  out.reserve(spelling.size());
  for (size_t i = 0; i < spelling.size();) {
    const Utf8Char c = decode_utf8(spelling, i);
    if (!c.valid || c.code >= alphabet_end || alphabet.bytes[c.code] < 0) return std::nullopt;
    out += static_cast<char>(static_cast<uint8_t>(alphabet.bytes[c.code]));
    i += c.length;
  }
  return out;
}

std::string byte_token(uint8_t byte) { return fmt::format("<0x{:02X}>", byte); }

std::optional<uint8_t> parse_byte_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  const int high = hex_digit(token[3]);
  const int low = hex_digit(token[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<uint8_t>(high * 16 + low);
}

}  // namespace sesame
