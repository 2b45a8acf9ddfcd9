#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/files/vocab_txt.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_spec.h"

// What the original tokenizers make of the edge cases: tests/oracle/run --write-golden has written it.
namespace sesame {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path golden_directory = "tests/golden/tokenizers";

json read_json(const fs::path& path) { return json::parse(read_file(path)); }

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

struct Case {
  std::string name;
  std::string text;
};

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  for (const json& entry : read_json(golden_directory / "texts.json")) {
    const json& text = entry[2];
    cases.push_back({fmt::format("{} {}", entry[0].get<int>(), entry[1].get<std::string>()),
                     text.is_string() ? text.get<std::string>() : from_hex(text["hex"])});
  }
  return cases;
}

std::vector<int32_t> encode(const Tokenizer& tokenizer, const std::string& text, bool parse_special = true) {
  EncodeOptions options;
  options.parse_special = parse_special;
  return tokenizer.encode(text, options);
}

/// As tests/oracle/golden.mjs has it.
std::string digest(const std::vector<int32_t>& ids) {
  constexpr std::string_view base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* bytes = reinterpret_cast<const Bytef*>(ids.data());
  const uLong checksum = ids.empty() ? 0 : crc32(0, bytes, static_cast<uInt>(ids.size() * sizeof(int32_t)));
  return {base64[(checksum >> 26) & 63], base64[(checksum >> 20) & 63]};
}

/// What `xz -dc` writes; empty where there is no such program.
std::string decompress_xz(const fs::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(("xz -dc '" + path.string() + "'").c_str(), "r"),
                                                             ::pclose);
  std::string text;
  std::vector<char> block(1 << 16);
  for (size_t size = 0; pipe && (size = std::fread(block.data(), 1, block.size(), pipe.get())) > 0;) {
    text.append(block.data(), size);
  }
  return text;
}

std::optional<Tokenizer> load(const fs::path& path, const json& golden) {
  const std::string name = path.filename();
  if (name.ends_with(".tiktoken")) {
    std::vector<std::pair<std::string, int32_t>> special_tokens;
    for (const auto& [content, id] : golden["special_tokens"].items()) special_tokens.emplace_back(content, id);
    const SplitPattern pattern = split_pattern(golden["pattern"].get<std::string>());
    return Tokenizer(read_tiktoken(path, {"", pattern, special_tokens}), name);
  }
  if (name.ends_with(".model")) return Tokenizer(read_sentencepiece_model(read_file(path), name), name);
  if (name.ends_with(".txt")) return Tokenizer(read_vocab_txt(path), name);
  const std::string text = decompress_xz(path);
  if (text.empty()) return std::nullopt;
  return Tokenizer(parse_tokenizer_json(text, name), name);
}

TEST(TokenizerGolden, PublishedVocabularies) {
  const std::vector<Case> cases = read_cases();
  bool any = false;
  for (const fs::directory_entry& file : fs::directory_iterator(golden_directory)) {
    if (file.path().stem() == "texts" || file.path().stem() == "toys") continue;
    const json golden = read_json(file.path());
    const auto path = shared_data(golden["vocabulary"].get<std::string>());
    const std::optional<Tokenizer> tokenizer = path ? load(*path, golden) : std::nullopt;
    if (!tokenizer) continue;
    any = true;
    ASSERT_EQ(golden["ids"].size(), cases.size()) << file.path();
    for (size_t i = 0; i < cases.size(); ++i) {
      if (golden["ids"][i].is_null()) continue;
      EXPECT_EQ(encode(*tokenizer, cases[i].text, golden.value("parse_special", false)),
                golden["ids"][i].get<std::vector<int32_t>>())
          << file.path().stem() << ", case " << cases[i].name << ": " << testing::PrintToString(cases[i].text);
    }
  }
  if (!any) GTEST_SKIP() << "no shared data";
}

/// The cases whose ids have another digest than the original's.
std::string differing_cases(const Tokenizer& tokenizer, const std::string& digests, const std::vector<Case>& cases) {
  std::string differing;
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string expected = digests.substr(2 * i, 2);
    if (expected == "--" || digest(encode(tokenizer, cases[i].text)) == expected) continue;
    differing += fmt::format("{}: {}\n", cases[i].name, testing::PrintToString(cases[i].text));
  }
  return differing;
}

TEST(TokenizerGolden, EveryStageOfTokenizerJson) {
  const std::vector<Case> cases = read_cases();
  const json golden = read_json(golden_directory / "toys.json");
  for (const json& toy : golden["toys"]) {
    json whole = toy["tokenizer"];
    if (!whole.contains("model")) whole["model"] = golden["model"];
    const std::string name = toy["name"];
    const std::string digests = toy["digests"];
    ASSERT_EQ(digests.size(), 2 * cases.size()) << name;
    try {
      const Tokenizer tokenizer(parse_tokenizer_json(whole.dump(), name), name);
      EXPECT_EQ(differing_cases(tokenizer, digests, cases), "") << name;
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

}  // namespace
}  // namespace sesame
