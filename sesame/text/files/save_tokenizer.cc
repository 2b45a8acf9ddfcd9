#include "sesame/text/files/save_tokenizer.h"

#include <fmt/format.h>

#include <string>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/files/vocab_and_merges.h"
#include "sesame/text/files/vocab_txt.h"
#include "sesame/text/sentencepiece/model_file.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;

struct Format {
  TokenizerFormat format;
  std::string_view name;
  std::string_view file;
};
constexpr Format formats[] = {
    {TokenizerFormat::tokenizer_json, "tokenizer.json", "tokenizer.json"},
    {TokenizerFormat::sentencepiece, "sentencepiece", "tokenizer.model"},
    {TokenizerFormat::tiktoken, "tiktoken", "vocabulary.tiktoken"},
    {TokenizerFormat::vocab_txt, "vocab.txt", "vocab.txt"},
    {TokenizerFormat::vocab_and_merges, "vocab.json", "vocab.json"},
};

void save_vocab_and_merges(const TokenizerSpec& spec, const fs::path& path) {
  const VocabAndMerges files = format_vocab_and_merges(spec);
  const bool named_merges = path.filename() == "merges.txt";
  write_file_atomically(named_merges ? path.parent_path() / "vocab.json" : path, files.vocab);
  write_file_atomically(named_merges ? path : path.parent_path() / "merges.txt", files.merges);
}

}  // namespace

TokenizerFormat tokenizer_format(std::string_view name) {
  std::string names;
  for (const Format& format : formats) {
    if (format.name == name) return format.format;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", format.name);
  }
  fail_usage(fmt::format("'{}' is not a format of tokenizers; known: {}", name, names));
}

TokenizerFormat tokenizer_format_of_file(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name == "vocab.json" || name == "merges.txt") return TokenizerFormat::vocab_and_merges;
  if (name.ends_with(".json")) return TokenizerFormat::tokenizer_json;
  if (name.ends_with(".model")) return TokenizerFormat::sentencepiece;
  if (name.ends_with(".tiktoken")) return TokenizerFormat::tiktoken;
  if (name.ends_with(".txt")) return TokenizerFormat::vocab_txt;
  fail_usage(
      fmt::format("{}: the name says no format of tokenizers: expected tokenizer.json, *.model, *.tiktoken, "
                  "vocab.txt, or vocab.json (with merges.txt beside it)",
                  path.string()));
}

void save_tokenizer(const TokenizerSpec& spec, const fs::path& path, TokenizerFormat format) {
  fs::path file = path;
  if (fs::is_directory(path)) {
    for (const Format& known : formats) {
      if (known.format == format) file = path / known.file;
    }
  }
  switch (format) {
    case TokenizerFormat::tokenizer_json:
      return write_file_atomically(file, format_tokenizer_json(spec));
    case TokenizerFormat::sentencepiece:
      return write_file_atomically(file, format_sentencepiece_model(spec));
    case TokenizerFormat::tiktoken:
      return write_file_atomically(file, format_tiktoken(spec));
    case TokenizerFormat::vocab_txt:
      return write_file_atomically(file, format_vocab_txt(spec));
    case TokenizerFormat::vocab_and_merges:
      return save_vocab_and_merges(spec, file);
  }
}

}  // namespace sesame
