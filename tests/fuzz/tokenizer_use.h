#pragma once

#include <string_view>

#include "sesame/text/tokenizer.h"

namespace sesame::fuzz {

/// Encodes and decodes some texts, `text` among them, and writes the tokenizer and reads it back. Shared by the targets
/// that parse tokenizers.
void use_tokenizer(const Tokenizer& tokenizer, std::string_view text);

}  // namespace sesame::fuzz
