#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer.h"

namespace sesame {

/// Collects the characters of a corpus for a character-level tokenizer: one token per code point.
class CharacterTrainer {
 public:
  /// Throws Error for bytes that are not UTF-8, with their place; a byte-level BPE takes any bytes.
  void add(std::string_view document);

  /// Ids: `special_tokens` in order, then the characters sorted by code point. With `unknown` (one of the special
  /// tokens) characters that were not seen become that token; without, encoding them is an Error. Written to
  /// tokenizer.json as a WordLevel model behind a Split on every character.
  [[nodiscard]] Tokenizer train(const std::vector<std::string>& special_tokens = {},
                                const std::optional<std::string>& unknown = std::nullopt) const;

  [[nodiscard]] int32_t characters() const noexcept { return static_cast<int32_t>(code_points_.size()); }

 private:
  std::set<uint32_t> code_points_;
  uint64_t bytes_ = 0;
};

}  // namespace sesame
