#pragma once

#include <memory>
#include <string_view>

#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

class ImageReader;

/// The model of a pipeline. Throws Error, beginning with `origin`, for one that contradicts itself.
std::unique_ptr<TokenModel> make_token_model(const TokenizerSpec& spec, std::string_view origin);

/// The encoder of a pipeline, stage after stage: right for every pipeline, and what the fused ones are tested against.
std::unique_ptr<TextEncoder> make_pipeline_encoder(const TokenizerSpec& spec, std::string_view origin);

/// The fastest encoder that there is for a pipeline: a fused one where its family has one.
std::unique_ptr<TextEncoder> make_text_encoder(const TokenizerSpec& spec, std::string_view origin);

/// The same encoder from tables that TextEncoder::write has written; `stages` has no vocabulary. Throws Error for an
/// image that does not hold together.
std::unique_ptr<TextEncoder> make_text_encoder(const TokenizerSpec& stages, const ImageReader& image,
                                               std::string_view origin);

}  // namespace sesame
