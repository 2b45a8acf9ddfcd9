#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// llama2.c's tokenizer.bin: int32 max_token_length, then per token float score, int32 length, bytes; 0 is unknown, 1
/// begin, 2 end, 3-258 the bytes. Gives Hugging Face's form of Llama-2: merges by falling score, byte fallback, leading
/// space. Without `vocabulary_size`, which the file does not hold, all of the file is tokens. Throws Error naming the
/// file and the token.
TokenizerSpec read_llama2c(const std::filesystem::path& path, std::optional<int32_t> vocabulary_size);

}  // namespace sesame
