#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/text/split/split_pattern.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// What a rank file does not say: how text is split, and the special tokens (content, id).
struct TiktokenEncoding {
  std::string_view name;
  SplitPattern pattern;
  std::vector<std::pair<std::string, int32_t>> special_tokens;
};

/// "gpt2", "r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base", "o200k_harmony" as tiktoken defines
/// them, and "llama3" (the tokenizer.model of Llama 3); nothing for other names. Of the two contents that o200k_harmony
/// gives the id 200018 the first, <|endofprompt|>, is kept.
std::optional<TiktokenEncoding> tiktoken_encoding(std::string_view name);

/// tiktoken's rank file: lines of `base64(bytes) rank`. The ids are tiktoken's: a piece that is itself a token is that
/// token. Throws Error naming the file and the line.
TokenizerSpec read_tiktoken(const std::filesystem::path& path, const TiktokenEncoding& encoding);

/// As above; the encoding is the known one whose name is in the name of the file (o200k_harmony.tiktoken), else the one
/// that has so many ranks. Throws Error where there is none: it is then to be said by what pattern the text is split.
TokenizerSpec read_tiktoken(const std::filesystem::path& path);

/// Whether a file begins as rank files do.
bool is_tiktoken(std::string_view first_bytes) noexcept;

/// A rank file as text. Throws Error, saying why, for a tokenizer whose ids a rank file cannot give: tiktoken merges by
/// the ids of what is made, so the merges must be those that read_tiktoken would find. How text is split and the
/// special tokens are not in the file.
std::string format_tiktoken(const TokenizerSpec& spec);

}  // namespace sesame
