#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sesame/base/function_ref.h"
#include "sesame/base/huge_buffer.h"

namespace sesame {

/// The bytes of tokens that have few, for decoding long texts: one look-up of memory a token. Made when there is work
/// for it, by whichever thread is first.
class ShortTokens {
 public:
  /// So many ids are worth the table.
  static constexpr size_t long_text = 4096;

  /// Makes the table where that was not done yet: of ids below `count`, with the bytes that `bytes_of` gives; none for
  /// an id that the caller decodes itself.
  void make(size_t count, FunctionRef<std::optional<std::string_view>(int32_t id)> bytes_of);

  /// Makes room for the text of so many ids, judged by some of them.
  void reserve(std::span<const int32_t> ids, std::string& text) const;

  /// Appends the bytes of ids up to the first whose token is longer, is the caller's, or not there; returns how many
  /// those are.
  size_t decode(std::span<const int32_t> ids, std::string& text) const;

 private:
  struct Token {
    std::array<char, 15> bytes{};
    uint8_t size = other;
    static constexpr uint8_t other = UINT8_MAX;
  };

  std::once_flag once_;
  HugeBuffer memory_;
  std::span<Token> tokens_;  // by id
};

}  // namespace sesame
