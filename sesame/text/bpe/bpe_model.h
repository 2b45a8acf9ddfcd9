#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/bpe/merge_table.h"
#include "sesame/text/bpe/pair_map.h"
#include "sesame/text/encode/string_index.h"
#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The rules of a BPE model whose merges are pairs of tokens of the vocabulary: the merged token is spelled by both,
/// without the prefix of continuing subwords in between. Throws Error, beginning with `origin`, for a merge of or into
/// a token that is not in the vocabulary.
MergeTable make_merge_table(const model::Bpe& model, const std::vector<VocabularyEntry>& vocabulary,
                            std::string_view origin);

/// A BPE model as Hugging Face's library runs it on a piece of text. Characters (or, byte-level, bytes) become symbols:
/// their own tokens, else byte tokens if all of them are there (byte_fallback), else the unknown token, else they are
/// dropped, and what stood around them may merge. Then merges by rank.
class BpeModel : public TokenModel {
 public:
  /// `byte_level`: symbols are bytes and the vocabulary spells them in GPT-2's alphabet; otherwise symbols are
  /// characters. Special tokens that are in the vocabulary too are never the ids of text.
  BpeModel(const model::Bpe& model, const TokenizerSpec& spec, bool byte_level, std::string_view origin);

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override;

  /// Places count the bytes of the symbols before a token, as Hugging Face does: behind a dropped character they lie
  /// before the text that the token stands for.
  void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const override;

 private:
  struct Buffers;
  /// A symbol is spelled by its place in the word: bit 0 with the prefix of continuing subwords, bit 1 with the suffix.
  using Form = uint32_t;
  static constexpr Form continuing = 1;
  static constexpr Form last = 2;

  void index_symbols(const TokenizerSpec& spec);
  void add_symbol(std::string_view token, int32_t id, Form form);
  [[nodiscard]] int32_t symbol_id(std::string_view piece, size_t begin, size_t end, Form form) const;
  [[nodiscard]] bool append_byte_tokens(std::string_view piece, size_t begin, size_t end, Form form,
                                        std::vector<PieceToken>& symbols) const;
  void append_symbols(std::string_view piece, std::vector<PieceToken>& symbols) const;
  [[nodiscard]] int32_t whole_piece(std::string_view piece) const;

  bool byte_level_;
  bool ignore_merges_;
  bool fuse_unknown_;
  bool byte_fallback_;
  std::string prefix_;
  std::string suffix_;
  std::optional<int32_t> unknown_;
  MergeTable merges_;
  std::array<int32_t, 256> byte_tokens_{};                  // of byte fallback; -1 where there is none
  std::array<std::array<int32_t, 256>, 4> byte_symbols_{};  // by form; -1; of bytes, or of ASCII characters
  PairMap<int32_t> character_symbols_;                      // by code point and form
  std::vector<VocabularyEntry> pieces_;                     // for ignore_merges: text and id
  StringIndex piece_index_;
};

/// Why a character cannot be encoded, and what to do.
[[noreturn]] void fail_unknown_character(std::string_view character);

}  // namespace sesame
