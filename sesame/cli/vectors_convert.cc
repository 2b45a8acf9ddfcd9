#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <memory>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/cli/vectors.h"
#include "sesame/io/json_lines.h"
#include "sesame/word_vectors/files/convert_vectors.h"

namespace sesame {
namespace {

struct ConvertVectorsArguments {
  std::string in;
  std::string out;
  std::string from = "auto";
  std::string to = "auto";
  int64_t max_words = 0;
  bool json = false;
};

void print_json(const ConvertVectorsArguments& a, const VectorConversion& c, double seconds, uint64_t bytes) {
  JsonRecord record;
  record.add("in", a.in).add("out", a.out).add("from", name_of(c.from)).add("to", name_of(c.to));
  record.add("words", c.words).add("dim", c.dim).add("duplicate_words", c.duplicate_words);
  record.add("lost_counts", c.lost_counts).add("lost_ngrams", c.lost_ngrams);
  record.add("lost_output_matrix", c.lost_output_matrix).add("bytes", bytes).add("seconds", seconds);
  fmt::print("{}\n", record.line());
}

void print_report(const ConvertVectorsArguments& a, const VectorConversion& c, double seconds, uint64_t bytes) {
  fmt::print(stderr, "{} ({}) -> {} ({}): {} words of {} dimensions, {} in {}\n", a.in, name_of(c.from), a.out,
             name_of(c.to), c.words, c.dim, human_bytes(bytes), human_duration(seconds));
  if (c.duplicate_words > 0) fmt::print(stderr, "left out: {} rows whose word had one already\n", c.duplicate_words);
  if (c.lost_counts) fmt::print(stderr, "lost: how often each word occurred; safetensors and fasttext keep it\n");
  if (c.lost_ngrams)
    fmt::print(stderr, "lost: the n-grams, and with them vectors for new words; safetensors and fasttext keep them\n");
  if (c.lost_output_matrix)
    fmt::print(stderr, "lost: the output matrix, which only training needs; fasttext to fasttext keeps it\n");
}

void run_convert_vectors(const ConvertVectorsArguments& a) {
  if (a.max_words < 0) fail_usage(fmt::format("--max-words: {} is below 0", a.max_words));
  const VectorFormat from = parse_vector_format(a.from, "--from");
  const VectorFormat to = parse_vector_format(a.to, "--to");
  const auto start = std::chrono::steady_clock::now();
  const VectorConversion conversion = convert_word_vectors(a.in, a.out, from, to, a.max_words);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  const uint64_t bytes = std::filesystem::file_size(a.out);
  if (a.json) print_json(a, conversion, elapsed.count(), bytes);
  print_report(a, conversion, elapsed.count(), bytes);
}

}  // namespace

void add_vectors_convert(CLI::App& app, int&) {
  auto a = std::make_shared<ConvertVectorsArguments>();
  app.add_option("IN", a->in, "a file of word vectors, also gzip or Zstandard")->required();
  app.add_option("OUT", a->out, "the file to write")->required();
  app.add_option("--from", a->from,
                 "IN's format: word2vec (binary), word2vec-text, fasttext (.bin), fasttext-text (.vec), glove, "
                 "safetensors; auto: found from the content")
      ->capture_default_str();
  app.add_option("--to", a->to,
                 "OUT's format; auto: by its name, .txt word2vec-text, .vec fasttext-text, .bin word2vec, .safetensors")
      ->capture_default_str();
  app.add_option("--max-words", a->max_words, "only the first so many words; 0: all")->capture_default_str();
  app.add_flag("--json", a->json, "print what was done as one line of JSON");
  app.footer("Example:\n  sesame vectors convert glove.6B.100d.txt glove.bin --max-words 100000");
  app.callback([a] { run_convert_vectors(*a); });
}

}  // namespace sesame
