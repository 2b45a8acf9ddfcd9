#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/base/error.h"
#include "sesame/cli/vectors.h"
#include "sesame/io/byte_stream.h"
#include "sesame/word_vectors/explore/similarity.h"
#include "sesame/word_vectors/explore/text_lines.h"
#include "sesame/word_vectors/explore/word_query.h"
#include "sesame/word_vectors/files/vector_file.h"

namespace sesame {
namespace {

struct SimilarityArguments {
  std::string vectors;
  std::vector<std::string> words;
  std::string pairs;
  bool json = false;
};

/// Prints one pair; false where a word has no vector.
bool show_pair(const WordVectors& vectors, const std::string& first, const std::string& second, bool json) {
  nlohmann::ordered_json record = {{"first", first}, {"second", second}};
  bool known = true;
  try {
    const double cosine = cosine_similarity(require_vector(vectors, first), require_vector(vectors, second));
    record["cosine"] = cosine;
    if (!json) std::cout << fmt::format("{:7.4f}  {}\t{}\n", cosine, first, second);
  } catch (const Error& error) {
    known = false;
    record["cosine"] = nullptr;
    record["error"] = error.what();
    if (!json) fmt::print(stderr, "{}\n", error.what());
  }
  if (json) std::cout << record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
  return known;
}

int run_similarity(const SimilarityArguments& a) {
  if (a.words.empty() == a.pairs.empty() || (!a.words.empty() && a.words.size() != 2))
    fail_usage("similarity: two words, or --pairs with a file of pairs");
  const WordVectors vectors = read_word_vectors(a.vectors);
  bool all_known = true;
  if (!a.words.empty()) {
    all_known = show_pair(vectors, a.words[0], a.words[1], a.json);
  } else {
    const std::unique_ptr<ByteReader> in = open_bytes(a.pairs);
    const std::string text = read_all(*in, size_t{1} << 30);
    for_each_line(text, [&](std::string_view line, int64_t number) {
      if (line.empty()) return;
      const bool tabs = line.find('\t') != std::string_view::npos;
      const std::vector<std::string_view> fields = split_fields(line, tabs ? "\t" : " ");
      if (fields.size() < 2) fail(fmt::format("{}:{}: two words expected, not \"{}\"", in->name(), number, line));
      all_known = show_pair(vectors, std::string(fields[0]), std::string(fields[1]), a.json) && all_known;
    });
  }
  return all_known ? 0 : static_cast<int>(ExitStatus::failure);
}

}  // namespace

void add_vectors_similarity(CLI::App& app, int& status) {
  auto a = std::make_shared<SimilarityArguments>();
  app.add_option("VECTORS", a->vectors, "word vectors of any format that sesame vectors convert reads")->required();
  app.add_option("WORD", a->words, "two words");
  app.add_option("--pairs", a->pairs,
                 "lines of two words between tabs or spaces, further fields left out; - for standard input");
  app.add_flag("--json", a->json, "one JSON object a line for each pair");
  app.footer(
      "Example:\n  sesame vectors similarity vectors.bin king queen\n"
      "  sesame vectors similarity vectors.bin --pairs pairs.txt --json");
  app.callback([a, &status] { status = run_similarity(*a); });
}

}  // namespace sesame
