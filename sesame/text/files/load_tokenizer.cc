#include "sesame/text/files/load_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/files/gguf_vocabulary.h"
#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/llama2c_vocabulary.h"
#include "sesame/text/files/tekken.h"
#include "sesame/text/files/text_lines.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/files/vocab_and_merges.h"
#include "sesame/text/files/vocab_txt.h"
#include "sesame/text/sentencepiece/model_file.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;

constexpr std::array vocabulary_names = {std::string_view("vocab.json"), std::string_view("encoder.json")};
constexpr std::array merges_names = {std::string_view("merges.txt"), std::string_view("vocab.bpe")};

/// The file beside one named PREFIXname for one of `names`, whose own is PREFIXother: gpt2-vocab.json, gpt2-merges.txt.
std::optional<fs::path> beside(const fs::path& file, std::span<const std::string_view> names,
                               std::span<const std::string_view> others) {
  const std::string own = file.filename().string();
  std::string prefix;
  for (const std::string_view name : names) {
    if (own.ends_with(name)) prefix = own.substr(0, own.size() - name.size());
  }
  for (const std::string_view other : others) {
    fs::path candidate = file.parent_path() / (prefix + std::string(other));
    if (fs::exists(candidate)) return candidate;
  }
  return std::nullopt;
}

bool is_named(const fs::path& file, std::span<const std::string_view> names) {
  const std::string own = file.filename().string();
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return own.ends_with(name); });
}

/// The file that is the tokenizer of a model directory.
fs::path find_in_directory(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const std::string_view wanted :
       {"tokenizer.json", "tokenizer.model", "spiece.model", ".model", ".tiktoken", "tekken.json", "vocab.txt",
        "vocab.json", "encoder.json", ".gguf", "tokenizer.bin"}) {
    const auto is_wanted = [&](const fs::path& file) {
      return wanted.front() == '.' ? file.extension() == wanted : file.filename() == wanted;
    };
    const auto found = std::find_if(files.begin(), files.end(), is_wanted);
    if (found != files.end()) return *found;
  }
  fail(
      fmt::format("{}: no tokenizer in this directory: expected tokenizer.json, tokenizer.model, spiece.model, "
                  "*.tiktoken, tekken.json, vocab.txt, vocab.json with merges.txt, or *.gguf",
                  directory.string()));
}

TokenizerSpec load_rank_file(const fs::path& path, std::string_view pattern) {
  if (pattern.empty()) return read_tiktoken(path);
  if (const auto encoding = tiktoken_encoding(pattern)) return read_tiktoken(path, *encoding);
  return read_tiktoken(path, {pattern, split_pattern(pattern), {}});
}

/// An object of a file's top level: tokenizer.json, tekken.json, or the tokens of a vocab.json.
TokenizerSpec load_json(const fs::path& path) {
  const std::string json = read_file(path, max_vocabulary_file_bytes);
  if (path.filename() == "tokenizer.json") return parse_tokenizer_json(json, path.string());
  enum class Kind { hugging_face, tekken, vocabulary } kind = Kind::vocabulary;
  visit_json(json, path.string(), [&](const JsonCursor& root) {
    const auto model = root.find("model");
    const auto config = root.find("config");
    if (model && model->is_object()) kind = Kind::hugging_face;
    if (config && config->is_object() && root.find("vocab")) kind = Kind::tekken;
  });
  if (kind == Kind::hugging_face) return parse_tokenizer_json(json, path.string());
  if (kind == Kind::tekken) return parse_tekken(json, path.string());
  const auto merges = beside(path, vocabulary_names, merges_names);
  if (!merges) {
    fail(fmt::format("{}: neither a tokenizer.json (it has no \"model\") nor a vocab.json with a merges.txt beside it",
                     path.string()));
  }
  return read_vocab_and_merges(path, *merges);
}

bool is_json(std::string_view start) {
  const size_t first = start.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && start[first] == '{';
}

TokenizerSpec load_text(const fs::path& path) {
  if (is_named(path, merges_names)) {
    const auto vocab = beside(path, merges_names, vocabulary_names);
    if (!vocab) fail(fmt::format("{}: the vocab.json that belongs to it is not beside it", path.string()));
    return read_vocab_and_merges(*vocab, path);
  }
  if (path.extension() == ".txt") return read_vocab_txt(path);
  fail(
      fmt::format("{}: not a tokenizer in a format that Sesame knows: tokenizer.json, SentencePiece's .model, "
                  ".tiktoken, tekken.json, vocab.txt, vocab.json with merges.txt, .gguf, llama2.c's tokenizer.bin",
                  path.string()));
}

}  // namespace

TokenizerSpec load_tokenizer_spec(const fs::path& path, std::string_view pattern) {
  if (fs::is_directory(path)) return load_tokenizer_spec(find_in_directory(path), pattern);
  const MappedFile file(path);
  const std::string_view start = file.text().substr(0, 4096);
  if (is_tiktoken(start)) return load_rank_file(path, pattern);
  if (!pattern.empty()) {
    fail_usage(
        fmt::format("{}: only rank files (.tiktoken) need a pattern; other formats say themselves how text is "
                    "split",
                    path.string()));
  }
  if (is_json(start)) return load_json(path);
  if (is_gguf(start)) return read_gguf_vocabulary(path);
  if (path.extension() != ".txt" && is_sentencepiece_model(start))
    return read_sentencepiece_model(file.text(), path.string());
  if (path.extension() == ".bin") return read_llama2c(path, std::nullopt);
  return load_text(path);
}

}  // namespace sesame
