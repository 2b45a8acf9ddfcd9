#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "sesame/text/split/split_pattern.h"
#include "sesame/text/tokenizer.h"

/// Tokenizers in the files of other projects. Each function reads the file whole and throws Error naming the file and
/// the line or token that is wrong.
namespace sesame {

/// tiktoken's rank file: lines of `base64(bytes) rank`. `special_tokens` are (content, id), as the file holds none. The
/// ids are tiktoken's: a piece that is itself a token is that token.
Tokenizer from_tiktoken(const std::filesystem::path& path, SplitPattern pattern,
                        const std::vector<std::pair<std::string, int32_t>>& special_tokens);

/// GPT-2's vocab.json (encoder.json) and merges.txt (vocab.bpe). `special_tokens` must be in the vocabulary.
Tokenizer from_vocab_and_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                                SplitPattern pattern, const std::vector<std::string>& special_tokens);

/// llama2.c's tokenizer.bin: int32 max_token_length, then per token float score, int32 length, bytes; 0 is unknown, 1
/// begin, 2 end, 3-258 the bytes. Gives Hugging Face's form of Llama-2: merges by falling score, byte fallback, leading
/// space.
Tokenizer from_llama2c(const std::filesystem::path& path, int32_t vocabulary_size);

}  // namespace sesame
