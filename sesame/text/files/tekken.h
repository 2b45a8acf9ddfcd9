#pragma once

#include <string_view>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Mistral's tekken.json: ranked tokens in base64 (as tiktoken's, behind `default_num_special_tokens` special ones), of
/// which the first `default_vocab_size` less those count, and the pattern by which text is split. Special tokens that
/// the file does not list are <SPECIAL_n>. Throws Error with `origin` and the key.
TokenizerSpec parse_tekken(std::string_view json, std::string_view origin);

}  // namespace sesame
