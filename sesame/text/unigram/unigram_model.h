#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/unigram/best_path.h"

namespace sesame {

/// Hugging Face's Unigram model (tokenizers 0.23, models/unigram): the most probable segmentation of a piece of text,
/// scores added up in double. A run of characters that are in no piece is one token: the piece that it spells, if there
/// is one after all, else its bytes where the model falls back to them and has them all, else the unknown token.
class UnigramModel : public TokenModel {
 public:
  /// Throws Error, beginning with `origin`, for scores or an unk_id that do not fit the vocabulary.
  UnigramModel(const model::Unigram& model, const TokenizerSpec& spec, std::string_view origin);

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override;
  /// Each byte token of a character stands for the whole run.
  void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const override;

 private:
  struct Buffers;
  void append_unknown(std::string_view piece, const PieceToken& run, std::vector<PieceToken>& tokens) const;

  UnigramPieces<double> pieces_;
  std::array<int32_t, 256> byte_ids_{};  // -1: no such token
  bool byte_fallback_;
};

}  // namespace sesame
