#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The bytes of the character that begins with `first_byte`, as SentencePiece counts them: by that byte alone.
inline size_t character_length(char first_byte) noexcept {
  return static_cast<size_t>("\1\1\1\1\1\1\1\1\1\1\1\1\2\2\3\4"[static_cast<uint8_t>(first_byte) >> 4]);
}

/// The length of the character at `begin` < text.size(), which may be cut off by the end.
inline size_t character_length(std::string_view text, size_t begin) noexcept {
  const size_t length = character_length(text[begin]);
  return length < text.size() - begin ? length : text.size() - begin;
}

/// The pieces of a SentencePiece model: which of them text is made of, and what becomes of what it is not made of.
class PieceVocabulary {
 public:
  PieceVocabulary(const TokenizerSpec& spec, const model::SentencePiece& model);

  using Piece = std::pair<std::string_view, int32_t>;  // and its id
  /// Pieces that text is made of: normal, user-defined and unused ones.
  [[nodiscard]] const std::vector<Piece>& text_pieces() const noexcept { return text_pieces_; }
  /// Those of one type.
  [[nodiscard]] std::vector<Piece> text_pieces(model::PieceType type) const;
  [[nodiscard]] const std::vector<std::string_view>& user_symbols() const noexcept { return user_symbols_; }
  [[nodiscard]] model::PieceType type(int32_t id) const noexcept { return types_[static_cast<size_t>(id)]; }
  [[nodiscard]] bool has_unused() const noexcept { return has_unused_; }
  [[nodiscard]] int32_t unknown() const noexcept { return unknown_; }
  [[nodiscard]] bool byte_fallback() const noexcept { return byte_fallback_; }

  /// Appends a token of a normalized text as SentencePiece gives it out: an unknown one as the bytes of its text where
  /// the model falls back to them, else as part of the unknown one before it, if `previous_unknown`, which is then
  /// known. The last byte stands for the whole of the text, those before it for nothing.
  void append(std::string_view text, const PieceToken& token, bool& previous_unknown,
              std::vector<PieceToken>& tokens) const;

 private:
  std::vector<Piece> text_pieces_;
  std::vector<std::string_view> user_symbols_;
  std::vector<model::PieceType> types_;
  std::array<int32_t, 256> byte_ids_{};
  int32_t unknown_;
  bool byte_fallback_;
  bool has_unused_ = false;
};

}  // namespace sesame
