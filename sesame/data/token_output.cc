#include "sesame/data/token_output.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/data/token_shard.h"
#include "sesame/io/npy.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

using Write = FunctionRef<void(std::string_view)>;

/// Gathers text and hands it on in large writes.
class TextBuffer {
 public:
  explicit TextBuffer(Write write) : write_(write) {}

  TextBuffer& operator<<(std::string_view text) {
    buffer_ += text;
    return *this;
  }
  TextBuffer& operator<<(uint64_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    buffer_.append(digits.data(), end);
    return *this;
  }
  void flush_if_large() {
    if (buffer_.size() >= (size_t{1} << 16)) flush();
  }
  void flush() {
    write_(buffer_);
    buffer_.clear();
  }

 private:
  Write write_;
  std::string buffer_;
};

class TextOutput : public TokenOutput {
 public:
  explicit TextOutput(Write write) : out_(write) {}

  void append(std::span<const int32_t> ids) override {
    for (const int32_t id : ids) {
      separate();
      out_ << static_cast<uint64_t>(id);
      out_.flush_if_large();
    }
  }
  void append(const Encoding& document) override {
    for (size_t i = 0; i < document.ids.size(); ++i) {
      separate();
      out_ << static_cast<uint64_t>(document.ids[i]) << ":" << document.offsets[i].begin << "-"
           << document.offsets[i].end;
      out_.flush_if_large();
    }
  }
  void end_document() override {
    out_ << "\n";
    out_.flush();
    first_ = true;
  }

 private:
  void separate() {
    if (!first_) out_ << " ";
    first_ = false;
  }

  TextBuffer out_;
  bool first_ = true;
};

/// A JSON string; what is not UTF-8 becomes U+FFFD, since JSON has no other way.
std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    if (!c.valid) {
      out += "\xEF\xBF\xBD";
    } else if (c.code == '"' || c.code == '\\') {
      out += '\\';
      out += static_cast<char>(c.code);
    } else if (c.code < 0x20 || c.code == 0x7F) {
      out += fmt::format("\\u{:04x}", c.code);
    } else {
      out += text.substr(i, c.length);
    }
    i += c.length;
  }
  return out += '"';
}

class JsonLinesOutput : public TokenOutput {
 public:
  JsonLinesOutput(const Tokenizer& tokenizer, Write write) : tokenizer_(tokenizer), out_(write) {}

  void append(std::span<const int32_t> ids) override { ids_.insert(ids_.end(), ids.begin(), ids.end()); }
  void append(const Encoding& document) override {
    append(document.ids);
    offsets_.insert(offsets_.end(), document.offsets.begin(), document.offsets.end());
  }
  void end_document() override {
    list("{\"ids\": [", ids_.size(), [&](size_t i) { out_ << static_cast<uint64_t>(ids_[i]); });
    list("], \"tokens\": [", ids_.size(), [&](size_t i) { out_ << json_string(tokenizer_.token(ids_[i])); });
    if (offsets_.size() == ids_.size() && !ids_.empty()) {
      list("], \"offsets\": [", ids_.size(),
           [&](size_t i) { out_ << "[" << offsets_[i].begin << ", " << offsets_[i].end << "]"; });
    }
    out_ << "], \"count\": " << ids_.size() << "}\n";
    out_.flush();
    ids_.clear();
    offsets_.clear();
  }

 private:
  template <typename Item>
  void list(std::string_view begin, size_t count, Item item) {
    out_ << begin;
    for (size_t i = 0; i < count; ++i) {
      if (i > 0) out_ << ", ";
      item(i);
      out_.flush_if_large();
    }
  }

  const Tokenizer& tokenizer_;
  TextBuffer out_;
  std::vector<int32_t> ids_;
  std::vector<TextSpan> offsets_;
};

class NpyOutput : public TokenOutput {
 public:
  NpyOutput(const Tokenizer& tokenizer, FileWriter& file)
      : writer_(file, tokenizer.vocabulary_size() <= 65536 ? 2 : 4) {}
  void append(std::span<const int32_t> ids) override { writer_.append(ids); }
  void append(const Encoding& document) override { append(document.ids); }
  void end_document() override {}
  void finish() { writer_.finish(); }

 private:
  NpyWriter writer_;
};

class ShardOutput : public TokenOutput {
 public:
  ShardOutput(const Tokenizer& tokenizer, const std::filesystem::path& path)
      : writer_(path, static_cast<uint64_t>(tokenizer.vocabulary_size()), tokenizer.fingerprint()) {}
  void append(std::span<const int32_t> ids) override { writer_.append(ids); }
  void append(const Encoding& document) override { append(document.ids); }
  void end_document() override { writer_.end_document(); }
  void commit() { writer_.commit(); }

 private:
  TokenShardWriter writer_;
};

void write_lines(TokenFormat format, const Tokenizer& tokenizer, Write write,
                 FunctionRef<void(TokenOutput& output)> fill) {
  if (format == TokenFormat::text) {
    TextOutput output(write);
    return fill(output);
  }
  JsonLinesOutput output(tokenizer, write);
  fill(output);
}

void write_to_stdout(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail("standard output takes no more text");
}

}  // namespace

TokenFormat token_format(std::string_view name, const std::filesystem::path& path, std::string_view key) {
  if (name == "auto") {
    const std::string extension = path.extension().string();
    if (extension == ".jsonl" || extension == ".ndjson" || extension == ".json") return TokenFormat::jsonl;
    if (extension == ".npy") return TokenFormat::npy;
    return extension == ".shard" ? TokenFormat::shard : TokenFormat::text;
  }
  if (name == "text" || name == "txt") return TokenFormat::text;
  if (name == "jsonl") return TokenFormat::jsonl;
  if (name == "npy") return TokenFormat::npy;
  if (name == "shard") return TokenFormat::shard;
  fail_usage(fmt::format("{}: unknown format '{}': choose one of auto, text, jsonl, npy, shard", key, name));
}

void write_tokens(const TokenOutputOptions& options, const Tokenizer& tokenizer,
                  FunctionRef<void(TokenOutput& output)> fill) {
  const bool lines = options.format == TokenFormat::text || options.format == TokenFormat::jsonl;
  if (options.offsets && !lines) fail_usage("offsets are written as text or jsonl: arrays and shards hold ids only");
  if (options.path == "-") {
    if (!lines) fail_usage("arrays and token shards are written to a file: name it with --out");
    const auto write = [](std::string_view text) { write_to_stdout(text); };
    return write_lines(options.format, tokenizer, write, fill);
  }
  if (options.format == TokenFormat::shard) {
    ShardOutput output(tokenizer, options.path);
    fill(output);
    return output.commit();
  }
  write_file_atomically(options.path, [&](FileWriter& file) {
    if (lines) {
      const auto write = [&](std::string_view text) { file.write(text); };
      return write_lines(options.format, tokenizer, write, fill);
    }
    NpyOutput output(tokenizer, file);
    fill(output);
    output.finish();
  });
}

}  // namespace sesame
