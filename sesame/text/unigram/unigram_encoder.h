#pragma once

#include <memory>
#include <string_view>

#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The encoder of Hugging Face pipelines of the T5 family: normalizers that leave single spaces between ASCII words
/// alone, Metaspace with or without WhitespaceSplit before it, a Unigram model. Words of ASCII are cached as they stand
/// in the text; what is between them goes through the pipeline. Null for another pipeline.
std::unique_ptr<TextEncoder> make_unigram_encoder(const TokenizerSpec& spec, std::string_view origin);

}  // namespace sesame
