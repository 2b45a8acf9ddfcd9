#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/cli/tokenizer.h"
#include "sesame/io/byte_stream.h"
#include "sesame/text/report/text_statistics.h"
#include "sesame/text/report/vocabulary_statistics.h"

namespace sesame {
namespace {

using Json = nlohmann::ordered_json;

struct InfoArguments {
  TokenizerArgument tokenizer;
  std::vector<std::string> data;
  bool json = false;
};

/// Rows of fertility and compression: a file each, and of a single file each script; without files a few sentences in
/// many languages.
std::vector<NamedStatistics> statistics(const Tokenizer& tokenizer, const std::vector<std::string>& files) {
  if (files.empty()) return statistics_of_sample_languages(tokenizer);
  std::vector<NamedStatistics> rows;
  for (const std::string& file : files) {
    const std::unique_ptr<ByteReader> in = open_bytes(file);
    const std::string text = read_all(*in, size_t{1} << 32);
    rows.push_back({file, text_statistics(tokenizer, text)});
    if (files.size() > 1) continue;
    for (NamedStatistics& row : statistics_by_script(tokenizer, text)) rows.push_back(std::move(row));
  }
  return rows;
}

void print_vocabulary(const Tokenizer& tokenizer, const VocabularyStatistics& s) {
  fmt::print("vocabulary      {} tokens, ids below {}; {} special, {} added in all\n", s.tokens, s.ids, s.special,
             s.added);
  fmt::print("                {} begin a word, {} are bytes that are no text alone, {:.2f} bytes on average\n",
             s.word_starts, s.not_text, s.mean_bytes);
  fmt::print("bytes           ");
  for (size_t i = 1; i < s.by_length.size(); ++i) {
    if (s.by_length[i] > 0) fmt::print("{}{}: {}  ", i, i + 1 == s.by_length.size() ? "+" : "", s.by_length[i]);
  }
  fmt::print("\nscripts         ");
  for (size_t i = 0; i < std::min<size_t>(10, s.by_script.size()); ++i) {
    fmt::print("{} {}  ", s.by_script[i].first, s.by_script[i].second);
  }
  fmt::print("\nlongest         ");
  for (const int32_t id : s.longest) fmt::print("{}  ", tokenizer.token(id).substr(0, 60));
  fmt::print("\nfingerprint     {:016x}\n", tokenizer.fingerprint());
}

void print_rows(const std::vector<NamedStatistics>& rows, bool sample) {
  fmt::print("\n{:<24} {:>10} {:>12} {:>12} {:>10} {:>9}\n", sample ? "UDHR, article 1" : "text", "tokens",
             "tokens/word", "bytes/token", "chars/token", "unknown");
  for (const auto& [name, s] : rows) {
    fmt::print("{:<24} {:>10} {:>12.2f} {:>12.2f} {:>10.2f} {:>9}\n", name, s.tokens, s.fertility(),
               s.bytes_per_token(), s.characters_per_token(), s.unknown);
  }
}

Json json_of(const Tokenizer& tokenizer, const VocabularyStatistics& s, const std::vector<NamedStatistics>& rows) {
  Json special = Json::object();
  for (int32_t id = 0; id < tokenizer.vocabulary_size(); ++id) {
    if (tokenizer.contains(id) && tokenizer.is_special(id)) special[std::string(tokenizer.token(id))] = id;
  }
  Json scripts = Json::object();
  for (const auto& [script, count] : s.by_script) scripts[script] = count;
  Json texts = Json::array();
  for (const auto& [name, t] : rows) {
    texts.push_back({{"name", name},
                     {"tokens", t.tokens},
                     {"bytes", t.bytes},
                     {"characters", t.characters},
                     {"words", t.words},
                     {"unknown", t.unknown},
                     {"tokens_per_word", t.fertility()},
                     {"bytes_per_token", t.bytes_per_token()}});
  }
  return {{"vocab_size", s.ids},
          {"tokens", s.tokens},
          {"pipeline", tokenizer.describe()},
          {"special_tokens", special},
          {"word_starts", s.word_starts},
          {"mean_bytes", s.mean_bytes},
          {"tokens_by_bytes", s.by_length},
          {"tokens_by_script", scripts},
          {"texts", texts},
          {"fingerprint", fmt::format("{:016x}", tokenizer.fingerprint())}};
}

void run_info(const InfoArguments& a) {
  const Tokenizer tokenizer = load_tokenizer(a.tokenizer);
  const VocabularyStatistics vocabulary = vocabulary_statistics(tokenizer);
  const std::vector<NamedStatistics> rows = statistics(tokenizer, a.data);
  if (a.json) {
    std::cout << json_of(tokenizer, vocabulary, rows).dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
    return;
  }
  fmt::print("{}", tokenizer.describe());
  print_vocabulary(tokenizer, vocabulary);
  print_rows(rows, a.data.empty());
}

}  // namespace

void add_tokenizer_info(CLI::App& app, int&) {
  auto a = std::make_shared<InfoArguments>();
  add_tokenizer_argument(app, a->tokenizer);
  app.add_option("--data", a->data,
                 "texts to measure it on, one a language; without, a few sentences in many languages");
  app.add_flag("--json", a->json, "one JSON object");
  app.footer("Example:\n  sesame tokenizer info tokenizer.json --data english.txt chinese.txt");
  app.callback([a] { run_info(*a); });
}

}  // namespace sesame
