#pragma once

#include <memory>
#include <string_view>

#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The encoder of BPE pipelines that mark spaces with U+2581, as Hugging Face's form of SentencePiece BPE does (Llama
/// 2, Mistral, Gemma): Replace and Prepend or a Metaspace that does not split, then BPE with byte fallback. Words are
/// cached as they stand in the text; it is cut before runs of spaces, wherever no token crosses. Null for other
/// pipelines.
std::unique_ptr<TextEncoder> make_marked_bpe_encoder(const TokenizerSpec& spec, std::string_view origin);

}  // namespace sesame
