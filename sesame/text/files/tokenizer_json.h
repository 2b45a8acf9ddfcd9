#pragma once

#include <string>
#include <string_view>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Reads tokenizer.json text. `origin` (a path) and the key stand in every Error.
TokenizerSpec parse_tokenizer_json(std::string_view json, std::string_view origin);

/// Writes the text that parse_tokenizer_json reads, the same bytes for equal specs. Stages that are SentencePiece's own
/// are written as the nearest that Hugging Face's library has, as transformers converts them.
std::string format_tokenizer_json(const TokenizerSpec& spec);

}  // namespace sesame
