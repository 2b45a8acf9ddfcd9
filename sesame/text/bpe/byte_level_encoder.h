#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "sesame/text/bpe/byte_merger.h"
#include "sesame/text/bpe/piece_encoder.h"
#include "sesame/text/encode/text_encoder.h"
#include "sesame/text/split/splitter.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The encoder of byte-level BPE pipelines: no normalizer or NFC, Splits that isolate, ByteLevel, BPE. Null for others.
std::unique_ptr<TextEncoder> make_byte_level_encoder(const TokenizerSpec& spec, std::string_view origin);

/// The same from tables in an image; the spec needs no vocabulary.
std::unique_ptr<TextEncoder> make_byte_level_encoder(const TokenizerSpec& stages, const ImageReader& image,
                                                     std::string_view origin);

}  // namespace sesame
