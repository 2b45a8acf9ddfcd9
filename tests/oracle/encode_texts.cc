// Sesame's side of the comparison with other tokenizers (README.md): texts in, ids and what they decode to out.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/vocab_txt.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {
namespace {

constexpr uint32_t error_mark = 0xFFFFFFFF;

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_text(std::string& out, std::string_view text) {
  append(out, static_cast<uint32_t>(text.size()));
  out += text;
}

/// False at the end of the input.
bool read_exactly(void* to, size_t bytes) { return std::fread(to, 1, bytes, stdin) == bytes; }

std::string read_text() {
  uint32_t size = 0;
  if (!read_exactly(&size, sizeof size)) fail("the input ends inside a batch");
  std::string text(size, '\0');
  if (!read_exactly(text.data(), size)) fail("the input ends inside a text");
  return text;
}

std::pair<std::string, int32_t> parse_special(const std::string& argument) {
  const size_t equals = argument.rfind('=');
  if (equals == std::string::npos) fail_usage(fmt::format("--special is CONTENT=ID, not '{}'", argument));
  return {argument.substr(0, equals), std::stoi(argument.substr(equals + 1))};
}

Tokenizer load(const std::string& path, const std::string& pattern, const std::vector<std::string>& specials) {
  if (!pattern.empty()) {
    std::vector<std::pair<std::string, int32_t>> parsed;
    for (const std::string& special : specials) parsed.push_back(parse_special(special));
    return Tokenizer(read_tiktoken(path, {pattern, split_pattern(pattern), parsed}), path);
  }
  if (path.ends_with(".model")) return Tokenizer(read_sentencepiece_model(read_file(path), path), path);
  if (path.ends_with(".txt")) return Tokenizer(read_vocab_txt(path), path);
  return Tokenizer::load(path);
}

void append_offsets(std::string& out, const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options,
                    const std::vector<int32_t>& ids) {
  const Encoding encoding = tokenizer.encode_full(text, std::nullopt, options);
  if (encoding.ids != ids) fail("encode_full gives other ids than encode");
  for (const TextSpan& span : encoding.offsets) {
    append(out, static_cast<uint32_t>(span.begin));
    append(out, static_cast<uint32_t>(span.end));
  }
}

std::string reply(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options, bool offsets) {
  std::string out;
  try {
    const std::vector<int32_t> ids = tokenizer.encode(text, options);
    append(out, static_cast<uint32_t>(ids.size()));
    for (const int32_t id : ids) append(out, id);
    append_text(out, tokenizer.decode(ids, false));
    if (offsets) append_offsets(out, tokenizer, text, options, ids);
  } catch (const Error& error) {
    out.clear();
    append(out, error_mark);
    append_text(out, error.what());
  }
  return out;
}

int run(int argc, char** argv) {
  std::string path;
  std::string pattern;
  std::vector<std::string> specials;
  EncodeOptions options;
  bool offsets = false;
  CLI::App app(
      "Encodes batches of texts. In: uint32 how many, then of each uint32 length and bytes. Out, of each: uint32 "
      "count, int32 ids, uint32 length and bytes of what they decode to; or uint32 2^32 - 1, length, message.");
  app.add_option("tokenizer", path, "a file that sesame can load")->required();
  app.add_option("--rank-file", pattern, "the file is tiktoken's; splits by this pattern");
  app.add_option("--special", specials, "CONTENT=ID of a rank file's special token");
  app.add_flag("--parse-special", options.parse_special);
  app.add_flag("--add-special", options.add_special);
  app.add_flag("--offsets", offsets, "behind that the bytes of each token: uint32 begin, uint32 end");
  CLI11_PARSE(app, argc, argv);

  const Tokenizer tokenizer = load(path, pattern, specials);
  for (uint32_t texts = 0; read_exactly(&texts, sizeof texts);) {
    for (uint32_t i = 0; i < texts; ++i) {
      const std::string out = reply(tokenizer, read_text(), options, offsets);
      if (std::fwrite(out.data(), 1, out.size(), stdout) != out.size()) fail("cannot write to standard output");
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace sesame

int main(int argc, char** argv) {
  try {
    return sesame::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "oracle_encode: {}\n", error.what());
    return 1;
  }
}
