#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sesame::unigram {

/// Which strings may be pieces, by spm_train's flags of these names.
struct PieceRules {
  int32_t max_sentencepiece_length = 16;  // code points
  bool split_by_unicode_script = true;
  bool split_by_number = true;
  bool split_by_whitespace = true;
  bool split_digits = false;
  bool treat_whitespace_as_suffix = false;
  bool allow_whitespace_only_pieces = false;
};

/// Answers whether strings of letters may be pieces (SentencePiece's IsValidSentencePiece).
class PieceValidator {
 public:
  /// `codes`: the code point of each letter.
  PieceValidator(const PieceRules& rules, std::span<const uint32_t> codes);
  [[nodiscard]] bool valid(std::span<const uint32_t> letters) const noexcept;

 private:
  enum Kind : uint8_t { plain, space, never };
  struct Letter {
    Kind kind = plain;
    bool digit = false;
    uint8_t script = 0;
  };
  [[nodiscard]] bool space_allowed(size_t position, size_t size) const noexcept;

  PieceRules rules_;
  std::vector<Letter> letters_;
};

}  // namespace sesame::unigram
