#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/files/json_cursor.h"
#include "sesame/text/files/llama2c_vocabulary.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/vocab_and_merges.h"
#include "sesame/text/tokenizer.h"

// Ids that the original tokenizers gave (the test vectors of the kitoken, transformers.js and llama.cpp projects).
namespace sesame {
namespace {

using Ids = std::vector<int32_t>;

const std::vector<std::pair<std::string, int32_t>> cl100k_specials = {{"<|endoftext|>", 100257},
                                                                      {"<|fim_prefix|>", 100258},
                                                                      {"<|fim_middle|>", 100259},
                                                                      {"<|fim_suffix|>", 100260},
                                                                      {"<|endofprompt|>", 100276}};
const std::vector<std::pair<std::string, int32_t>> o200k_specials = {{"<|endoftext|>", 199999},
                                                                     {"<|endofprompt|>", 200018}};
const std::vector<std::pair<std::string, int32_t>> gpt2_specials = {{"<|endoftext|>", 50256}};

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (text.empty() || text.ends_with('\n')) lines.emplace_back();
  return lines;
}

std::string unescape(std::string line) {
  for (const auto& [escape, character] : {std::pair("\\n", "\n"), std::pair("\\s", " ")}) {
    for (size_t at = line.find(escape); at != std::string::npos; at = line.find(escape, at + 1)) {
      line.replace(at, 2, character);
    }
  }
  return line;
}

Ids parse_ids(std::string line) {
  for (char& c : line) c = c == ',' ? ' ' : c;
  std::istringstream stream(line);
  Ids ids;
  for (int32_t id = 0; stream >> id;) ids.push_back(id);
  return ids;
}

/// Compares with the kitoken vectors of one tokenizer; how many texts were compared.
int compare_with_kitoken(const Tokenizer& tokenizer, const std::string& folder, const std::string& name) {
  int compared = 0;
  for (const std::string set : {"small", "mixed", "utf8"}) {
    const auto input = shared_data("tokenizers/vectors/kitoken/" + set + "_input.txt");
    const auto output = shared_data(fmt::format("tokenizers/vectors/kitoken/{}/{}_tokens_{}.txt", folder, set, name));
    if (!input || !output) continue;
    const std::string text = read_file(*input);
    const std::vector<std::string> texts = set == "utf8" ? std::vector{text} : split_lines(text);
    const std::vector<std::string> ids = split_lines(read_file(*output));
    EXPECT_EQ(texts.size(), ids.size()) << set;
    // What the original decodes to, where that is not the text.
    const auto decoded = shared_data(fmt::format("tokenizers/vectors/kitoken/{}/{}_output_{}.txt", folder, set, name));
    std::vector<std::string> outputs = texts;
    if (decoded) outputs = set == "utf8" ? std::vector{read_file(*decoded)} : split_lines(read_file(*decoded));
    for (size_t i = 0; i < std::min(texts.size(), ids.size()); ++i) {
      const std::string one = set == "small" ? unescape(texts[i]) : texts[i];
      EncodeOptions options;
      options.parse_special = true;
      const Ids encoded = tokenizer.encode(one, options);
      EXPECT_EQ(encoded, parse_ids(ids[i])) << name << " " << set << " " << i << ": " << one.substr(0, 200);
      const std::string expected = set == "small" ? unescape(outputs[i]) : outputs[i];
      EXPECT_EQ(tokenizer.decode(encoded, false), expected) << name << " " << set << " " << i;
      ++compared;
    }
  }
  return compared;
}

int compare_with_transformers_js(const Tokenizer& tokenizer, const std::string& name, bool add_special) {
  const auto path = shared_data("tokenizers/vectors/transformers_js.json");
  if (!path) return 0;
  int compared = 0;
  const std::string json = read_file(*path);
  visit_json(json, path->string(), [&](const JsonCursor& root) {
    root.at(name).for_each_member([&](std::string_view test, const JsonCursor& vector) {
      Ids expected;
      vector.at("ids").for_each_item(
          [&](const JsonCursor& id) { expected.push_back(static_cast<int32_t>(id.integer(0, INT32_MAX))); });
      EncodeOptions options;
      options.parse_special = true;
      options.add_special = add_special;
      EXPECT_EQ(tokenizer.encode(vector.at("text").string(), options), expected) << name << " " << test;
      ++compared;
    });
  });
  return compared;
}

int compare_with_llama_cpp(const Tokenizer& tokenizer, const std::string& name) {
  const auto input = shared_data("tokenizers/vectors/llama.cpp/ggml-vocab-" + name + ".gguf.inp");
  const auto output = shared_data("tokenizers/vectors/llama.cpp/ggml-vocab-" + name + ".gguf.out");
  if (!input || !output) return 0;
  const std::string text = read_file(*input);
  const std::vector<std::string> ids = split_lines(read_file(*output));
  const std::string separator = "\n__ggml_vocab_test__\n";
  int compared = 0;
  for (size_t begin = 0, i = 0; begin < text.size() && i < ids.size(); ++i, ++compared) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    EXPECT_EQ(tokenizer.encode(one), parse_ids(ids[i])) << name << " " << i << ": '" << one << "'";
    begin = end + separator.size();
  }
  return compared;
}

std::optional<Tokenizer> tiktoken(const std::string& file, SplitPattern pattern,
                                  const std::vector<std::pair<std::string, int32_t>>& specials) {
  const auto path = shared_data("tokenizers/tiktoken/" + file + ".tiktoken");
  if (!path) return std::nullopt;
  return Tokenizer(read_tiktoken(*path, {"", pattern, specials}));
}

TEST(PublishedVectors, Gpt2) {
  const auto vocab = shared_data("tokenizers/gpt2/vocab.json");
  const auto merges = shared_data("tokenizers/gpt2/merges.txt");
  if (!vocab || !merges) GTEST_SKIP() << "no shared data";
  const Tokenizer gpt2(read_vocab_and_merges(*vocab, *merges, SplitPattern::gpt2, {"<|endoftext|>"}));
  EXPECT_EQ(gpt2.vocabulary_size(), 50257);
  EXPECT_EQ(gpt2.end_of_text(), 50256);
  EXPECT_EQ(compare_with_kitoken(gpt2, "tokenizers", "gpt2"), 143);
  EXPECT_EQ(compare_with_transformers_js(gpt2, "Xenova/gpt2", false), 26);
  EXPECT_GT(compare_with_llama_cpp(gpt2, "gpt-2"), 40);
}

TEST(PublishedVectors, MergesOfRankFileAreGpt2sMerges) {
  const auto vocab = shared_data("tokenizers/gpt2/vocab.json");
  const auto merges = shared_data("tokenizers/gpt2/merges.txt");
  const auto r50k = tiktoken("r50k_base", SplitPattern::gpt2, gpt2_specials);
  if (!vocab || !merges || !r50k) GTEST_SKIP() << "no shared data";
  const std::string ours = r50k->to_json();
  std::string lines = read_file(*merges);
  int found = 0;
  size_t place = ours.find("\"merges\"");
  for (const std::string& line : split_lines(lines)) {
    if (line.empty() || line.starts_with("#version")) continue;
    std::string quoted;
    for (const char c : line) quoted += (c == '"' || c == '\\' ? "\\" : "") + std::string(1, c);
    place = ours.find("\"" + quoted + "\"", place);
    ASSERT_NE(place, std::string::npos) << line;
    ++found;
  }
  EXPECT_EQ(found, 50000);
}

TEST(PublishedVectors, P50k) {
  const auto p50k = tiktoken("p50k_base", SplitPattern::gpt2, gpt2_specials);
  if (!p50k) GTEST_SKIP() << "no shared data";
  EXPECT_EQ(p50k->vocabulary_size(), 50281);
  EXPECT_EQ(compare_with_kitoken(*p50k, "tiktoken", "p50k_base"), 143);
}

TEST(PublishedVectors, Cl100k) {
  for (const SplitPattern pattern : {SplitPattern::cl100k, SplitPattern::cl100k_tiktoken}) {
    const auto cl100k = tiktoken("cl100k_base", pattern, cl100k_specials);
    if (!cl100k) GTEST_SKIP() << "no shared data";
    EXPECT_EQ(cl100k->vocabulary_size(), 100277);
    EXPECT_EQ(compare_with_kitoken(*cl100k, "tiktoken", "cl100k_base"), 143);
    EXPECT_EQ(compare_with_transformers_js(*cl100k, "Xenova/gpt-4", false), 4);
  }
}

TEST(PublishedVectors, O200k) {
  const auto o200k = tiktoken("o200k_base", SplitPattern::o200k, o200k_specials);
  if (!o200k) GTEST_SKIP() << "no shared data";
  EXPECT_EQ(o200k->vocabulary_size(), 200019);
  EXPECT_EQ(compare_with_kitoken(*o200k, "tiktoken", "o200k_base"), 143);
  EXPECT_EQ(compare_with_transformers_js(*o200k, "Xenova/gpt-4o", false), 15);
}

TEST(PublishedVectors, Llama2FromLlama2c) {
  const auto path = shared_data("models/stories260K/tokenizer_llama2_32000.bin");
  if (!path) GTEST_SKIP() << "no shared data";
  const Tokenizer llama2(read_llama2c(*path, 32000));
  EXPECT_EQ(llama2.vocabulary_size(), 32000);
  EXPECT_EQ(llama2.begin_of_text(), 1);
  EXPECT_EQ(llama2.end_of_text(), 2);
  EXPECT_EQ(compare_with_kitoken(llama2, "tokenizers", "llama2"), 143);
  EXPECT_GT(compare_with_llama_cpp(llama2, "llama-spm"), 40);
}

}  // namespace
}  // namespace sesame
