#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/base/progress.h"
#include "sesame/cli/tokenizer.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/text/report/compare_tokenizers.h"

namespace sesame {
namespace {

using Json = nlohmann::ordered_json;

struct CompareArguments {
  TokenizerArgument first;
  TokenizerArgument second;
  std::vector<std::string> data;
  std::string format = "auto";
  std::string text_field = "text";
  size_t differences = 20;
  bool json = false;
};

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

double bytes_per_token(const TokenizerComparison& c, uint64_t tokens) {
  return tokens == 0 ? 0.0 : static_cast<double>(c.bytes) / static_cast<double>(tokens);
}

std::string pieces(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& piece : list) out += (out.empty() ? "" : "|") + piece;
  for (char& c : out) {
    if (static_cast<uint8_t>(c) < 0x20) c = ' ';
  }
  return out;
}

void print(const CompareArguments& a, const TokenizerComparison& c) {
  fmt::print("{:<40} {:>12} {:>12}\n", "", "tokens", "bytes/token");
  fmt::print("{:<40} {:>12} {:>12.3f}\n", a.first.path, c.first_tokens, bytes_per_token(c, c.first_tokens));
  fmt::print("{:<40} {:>12} {:>12.3f}\n", a.second.path, c.second_tokens, bytes_per_token(c, c.second_tokens));
  fmt::print("\nsame ids          {} of {} documents\n", c.documents_with_same_ids, c.documents);
  fmt::print("same pieces       {} of {} documents\n", c.documents_with_same_pieces, c.documents);
  fmt::print("cuts in common    {:.2f} % of the first's, {:.2f} % of the second's\n",
             100 * share(c.shared_boundaries, c.first_boundaries),
             100 * share(c.shared_boundaries, c.second_boundaries));
  if (c.differences.empty()) return;
  fmt::print("\n{:>8}  {:<34} {}\n", "times", "first", "second");
  for (const TokenizerDifference& d : c.differences) {
    fmt::print("{:>8}  {:<34} {}\n", d.times, pieces(d.first), pieces(d.second));
  }
}

Json json_of(const TokenizerComparison& c) {
  Json differences = Json::array();
  for (const TokenizerDifference& d : c.differences) {
    differences.push_back({{"text", d.text}, {"times", d.times}, {"first", d.first}, {"second", d.second}});
  }
  return {{"bytes", c.bytes},
          {"documents", c.documents},
          {"documents_with_same_ids", c.documents_with_same_ids},
          {"documents_with_same_pieces", c.documents_with_same_pieces},
          {"tokens", {c.first_tokens, c.second_tokens}},
          {"cuts", {c.first_boundaries, c.second_boundaries}},
          {"shared_cuts", c.shared_boundaries},
          {"differences", differences}};
}

void run_compare(const CompareArguments& a) {
  CompareTokenizers compare(load_tokenizer(a.first), load_tokenizer(a.second));
  CorpusOptions corpus;
  corpus.format = parse_corpus_format(a.format, "--format");
  corpus.boundary = DocumentBoundary::line;
  corpus.text_field = a.text_field;
  DocumentReader reader(a.data, corpus);
  Progress progress("comparing", 0);
  while (const std::optional<DocumentPiece> piece = reader.next()) {
    compare.add(piece->text);
    if (progress.due()) progress.update(reader.counts().bytes, "bytes");
  }
  progress.finish(Progress::End::clear);
  const TokenizerComparison result = compare.result(a.differences);
  if (!a.json) return print(a, result);
  std::cout << json_of(result).dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace

void add_tokenizer_compare(CLI::App& app, int&) {
  auto a = std::make_shared<CompareArguments>();
  add_tokenizer_argument(app, a->first, "A", "--pattern-a");
  add_tokenizer_argument(app, a->second, "B", "--pattern-b");
  app.add_option("--data", a->data, "texts to compare them on, line by line")->required();
  app.add_option("--format", a->format, "of the data: auto (by name), txt or jsonl");
  app.add_option("--text-field", a->text_field, "field of a jsonl line that holds the text");
  app.add_option("--differences", a->differences, "how many of the most frequent differences to show");
  app.add_flag("--json", a->json, "one JSON object");
  app.footer("Example:\n  sesame tokenizer compare gpt2/tokenizer.json mine/tokenizer.json --data sample.txt");
  app.callback([a] { run_compare(*a); });
}

}  // namespace sesame
