#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sesame/text/encoding.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// An Encoding on its way through truncation, post-processor and padding, with what they need to know of each token
/// beyond it. Every function does what the one of Hugging Face's library does.
struct TokenWindow {
  /// White space at the ends of a token as it is spelled, in characters, and the text that the token is of.
  struct Spaces {
    uint32_t leading = 0;
    uint32_t trailing = 0;
    uint8_t text = 0;
  };

  Encoding tokens;  // without `overflowing`
  std::vector<Spaces> spaces;
  std::vector<TokenWindow> overflowing;

  [[nodiscard]] size_t size() const noexcept { return tokens.ids.size(); }
  void add(int32_t id, int32_t type_id, TextSpan span, int32_t word, int32_t sequence, bool special, Spaces space);
  void set_sequence(int32_t sequence) { tokens.sequences.assign(size(), sequence); }
  void set_type(int32_t type_id) { tokens.type_ids.assign(size(), type_id); }

  /// Tokens [begin, end) by themselves.
  [[nodiscard]] TokenWindow slice(size_t begin, size_t end) const;
  /// Keeps `length` tokens; the rest becomes overflowing windows of that length that share `stride` tokens. Throws
  /// Error where the stride is not less than the length.
  void truncate(uint64_t length, uint64_t stride, Direction direction);
  /// Appends another window, and combines its overflowing windows with those here.
  void append(const TokenWindow& other);
  /// Pads this window and the overflowing ones to `length`; padding is of sequence `sequence`.
  void pad(uint64_t length, const Padding& padding, int32_t sequence);

  [[nodiscard]] Encoding take();
};

/// Truncates a text, or a pair, to `length` tokens in all. Throws Error where the strategy cannot be followed.
void truncate_pair(TokenWindow& first, TokenWindow* second, const Truncation& truncation, uint64_t length);

}  // namespace sesame
