#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The encoder of a pipeline with a model::SentencePiece and nothing but normalizer::SentencePiece before it; null for
/// another pipeline. The ids are SentencePiece's. Words are cached by what stands in the text, pieces of words by their
/// normalized form, wherever the vocabulary lets a text be cut there. Throws Error, beginning with `origin`.
std::unique_ptr<TextEncoder> make_sentencepiece_encoder(const TokenizerSpec& spec, std::string_view origin);

/// The same without caches and cuts: what the other is tested against. Throws Error for another pipeline.
std::unique_ptr<TextEncoder> make_plain_sentencepiece_encoder(const TokenizerSpec& spec, std::string_view origin);

/// The model alone: tokens of normalized text, with offsets in it. A byte token but the last of its character stands
/// for no text, as in SentencePiece.
std::unique_ptr<TokenModel> make_sentencepiece_model(const TokenizerSpec& spec, std::string_view origin);

}  // namespace sesame
