#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "sesame/base/function_ref.h"
#include "sesame/text/tokenizer.h"

namespace sesame {

/// How token ids are written.
enum class TokenFormat : uint8_t {
  text,   // ids separated by spaces, one line a document; with offsets `id:begin-end`
  jsonl,  // {"ids": [...], "tokens": [...], "count": n}, one line a document; with offsets "offsets": [[begin, end],
          // ...]
  npy,    // all ids in one array of uint16 or uint32
  shard,  // a token shard (token_shard.h), as training reads it
};

/// "text", "jsonl", "npy", "shard"; "auto": by the name of the file (.jsonl, .npy, .shard; text for all else). Throws
/// usage Error that names `key`.
TokenFormat token_format(std::string_view name, const std::filesystem::path& path, std::string_view key);

/// Takes the ids of documents, one after the other.
class TokenOutput {
 public:
  virtual ~TokenOutput() = default;
  /// The next ids of the document.
  virtual void append(std::span<const int32_t> ids) = 0;
  /// A whole document with offsets. Formats that have no place for them are refused when the output is opened.
  virtual void append(const Encoding& document) = 0;
  virtual void end_document() = 0;
};

struct TokenOutputOptions {
  std::filesystem::path path = "-";  // "-": standard output, for text and jsonl
  TokenFormat format = TokenFormat::text;
  bool offsets = false;
};

/// Calls `fill` with an output; a file is there, whole, only when it has returned.
void write_tokens(const TokenOutputOptions& options, const Tokenizer& tokenizer,
                  FunctionRef<void(TokenOutput& output)> fill);

}  // namespace sesame
