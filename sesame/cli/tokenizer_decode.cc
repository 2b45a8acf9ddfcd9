#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/cli/tokenizer.h"
#include "sesame/data/token_shard.h"
#include "sesame/io/byte_stream.h"
#include "sesame/io/npy.h"

namespace sesame {
namespace {

struct DecodeArguments {
  TokenizerArgument tokenizer;
  std::string input = "-";
  std::string out = "-";
  bool lines = false;
  bool special = false;
};

/// Whole numbers between white space, commas and brackets, as `encode` writes them and as JSON lists have them.
std::vector<int32_t> parse_ids(std::string_view text, const std::string& origin) {
  std::vector<int32_t> ids;
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    if (std::string_view(" \t\r\n,[]").find(*p) != std::string_view::npos) {
      ++p;
      continue;
    }
    int32_t id = 0;
    const auto [next, error] = std::from_chars(p, end, id);
    if (error != std::errc()) {
      fail(fmt::format("{}: \"{}\" at byte {} is no token id", origin,
                       std::string_view(p, std::min<size_t>(20, static_cast<size_t>(end - p))), p - text.data()));
    }
    ids.push_back(id);
    p = next;
  }
  return ids;
}

std::vector<int32_t> read_shard(const std::string& path) {
  const TokenShard shard(path);
  std::vector<int32_t> ids(shard.size());
  shard.copy(0, ids);
  return ids;
}

/// The "ids" of each line of JSON, as `encode --json` writes them.
std::vector<std::vector<int32_t>> parse_json_lines(std::string_view text, const std::string& origin) {
  std::vector<std::vector<int32_t>> documents;
  for (size_t begin = 0, line = 1; begin < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    try {
      const auto record = nlohmann::json::parse(text.substr(begin, end - begin));
      documents.push_back(record.at("ids").get<std::vector<int32_t>>());
    } catch (const nlohmann::json::exception& error) {
      fail(fmt::format("{}:{}: no JSON object with a list \"ids\" of numbers: {}", origin, line, error.what()));
    }
    begin = end + 1;
  }
  return documents;
}

/// The ids of each document that is written on a line of its own.
std::vector<std::vector<int32_t>> read_documents(const DecodeArguments& a) {
  if (std::filesystem::path(a.input).extension() == ".shard") return {read_shard(a.input)};
  const std::unique_ptr<ByteReader> in = open_bytes(a.input);
  const std::string text = read_all(*in, size_t{1} << 34);
  if (is_npy(text)) return {read_npy(text, in->name())};
  if (text.starts_with('{')) return parse_json_lines(text, in->name());
  if (!a.lines) return {parse_ids(text, in->name())};
  std::vector<std::vector<int32_t>> documents;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    documents.push_back(parse_ids(std::string_view(text).substr(begin, end - begin),
                                  fmt::format("{}:{}", in->name(), documents.size() + 1)));
    begin = end + 1;
  }
  return documents;
}

void run_decode(const DecodeArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  std::string text;
  for (const std::vector<int32_t>& ids : read_documents(a)) {
    tokenizer.decode_append(ids, !a.special, text);
    if (a.lines) text += '\n';
  }
  if (a.out != "-") return write_file_atomically(a.out, text);
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail("standard output takes no more text");
}

}  // namespace

void add_tokenizer_decode(CLI::App& app, int&) {
  auto a = std::make_shared<DecodeArguments>();
  add_tokenizer_argument(app, a->tokenizer);
  app.add_option("FILE", a->input, "ids as text, JSON lines, .npy or .shard; - for standard input");
  app.add_flag("--lines", a->lines, "the ids of one document on each line: its text on a line, too");
  app.add_flag("--special", a->special, "write special tokens out");
  app.add_option("--out", a->out, "file to write; - for standard output");
  app.footer("Example:\n  echo 39 71 78 | sesame tokenizer decode tokenizer.json");
  app.callback([a] { run_decode(*a); });
}

}  // namespace sesame
