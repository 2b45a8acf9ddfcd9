#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "sesame/text/files/llama2c_vocabulary.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/vocab_and_merges.h"
#include "sesame/text/tokenizer.h"

/// Tokenizers from the files of other projects, in one step.
namespace sesame {

inline Tokenizer from_tiktoken(const std::filesystem::path& path, SplitPattern pattern,
                               const std::vector<std::pair<std::string, int32_t>>& special_tokens) {
  return Tokenizer(read_tiktoken(path, {"", pattern, special_tokens}), path.string());
}

inline Tokenizer from_vocab_and_merges(const std::filesystem::path& vocab, const std::filesystem::path& merges,
                                       SplitPattern pattern, const std::vector<std::string>& special_tokens) {
  return Tokenizer(read_vocab_and_merges(vocab, merges, pattern, special_tokens), vocab.string());
}

inline Tokenizer from_llama2c(const std::filesystem::path& path, int32_t vocabulary_size) {
  return Tokenizer(read_llama2c(path, vocabulary_size), path.string());
}

}  // namespace sesame
