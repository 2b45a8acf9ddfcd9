#pragma once

#include <string>
#include <string_view>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Reads a sentencepiece.model (sentencepiece_model.proto) of any type: unigram, BPE, word, character. What the file
/// says about how it was trained is not kept. Control pieces and the unknown one become special added tokens; the
/// post-processor puts bos before a BPE model's text and, where there is no bos, eos behind any other's, as the models
/// in circulation do (the file does not say). Throws Error naming `origin` and the byte or the piece that is wrong, as
/// SentencePiece refuses them: pieces empty or twice, no unknown piece or two, byte pieces that do not fit
/// byte_fallback.
TokenizerSpec read_sentencepiece_model(std::string_view bytes, std::string_view origin);

/// Whether a file begins as sentencepiece models do: with a piece.
bool is_sentencepiece_model(std::string_view first_bytes) noexcept;

/// Writes the file that SentencePiece loads and read_sentencepiece_model reads, the same bytes for equal specs. The
/// spec's model is a model::SentencePiece. Throws Error for a spec that the format cannot hold.
std::string format_sentencepiece_model(const TokenizerSpec& spec);

}  // namespace sesame
