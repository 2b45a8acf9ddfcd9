#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/wordpiece/piece_trie.h"

namespace sesame {

/// WordPiece as Hugging Face's tokenizers has it: the longest piece that the word begins with, then the longest that
/// goes on, spelled with the continuing prefix. A word that is not made of pieces, or has more characters (code points)
/// than max_input_chars_per_word, is the unknown token as a whole. Text is never a special token, whatever it says.
class WordPieceModel : public TokenModel {
 public:
  WordPieceModel(const model::WordPiece& model, const TokenizerSpec& spec);

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override;
  void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const override;

  /// The pieces of a word that is not empty, left in `scratch`; false where it is the unknown token.
  [[nodiscard]] bool match(std::string_view word, PieceTrie::Scratch& scratch) const;
  /// The unknown token. Throws Error for a vocabulary without one, naming the word.
  [[nodiscard]] int32_t unknown(std::string_view word) const;
  [[nodiscard]] bool has_unknown() const noexcept { return unknown_.has_value(); }

 private:
  PieceTrie trie_;
  std::optional<int32_t> unknown_;
  std::string unk_token_;
  uint64_t max_characters_;
};

}  // namespace sesame
