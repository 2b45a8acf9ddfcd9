#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// The formats that Sesame writes.
enum class TokenizerFormat : uint8_t {
  tokenizer_json,
  sentencepiece,
  tiktoken,
  vocab_txt,
  vocab_and_merges,  // two files: vocab.json and merges.txt
};

/// "tokenizer.json", "sentencepiece", "tiktoken", "vocab.txt", "vocab.json"; others are a usage Error that lists them.
TokenizerFormat tokenizer_format(std::string_view name);

/// The format that a file's name says: tokenizer.json and other *.json, *.model, *.tiktoken, *.txt, vocab.json and
/// merges.txt. A usage Error for other names.
TokenizerFormat tokenizer_format_of_file(const std::filesystem::path& path);

/// Writes a tokenizer atomically, as `path`, or in it under the format's usual name where it is a directory; the other
/// file of vocab_and_merges beside it. Throws Error, before anything is written, for a tokenizer that the format cannot
/// hold without giving other ids, saying why.
void save_tokenizer(const TokenizerSpec& spec, const std::filesystem::path& path, TokenizerFormat format);

}  // namespace sesame
