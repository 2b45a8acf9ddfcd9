#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "sesame/base/error.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/vectors.h"
#include "sesame/word_vectors/explore/evaluation.h"
#include "sesame/word_vectors/explore/held_out_loss.h"
#include "sesame/word_vectors/files/vector_file.h"

namespace sesame {
namespace {

using Json = nlohmann::ordered_json;

struct VectorEvalArguments {
  std::string vectors;
  std::vector<std::string> files;
  EvaluationOptions options;
  std::string held_out;
  std::string output_vectors;
  std::string vocabulary;
  std::string model = "skipgram";
  std::string unit = "whitespace";
  HeldOutOptions loss;
  int threads = 0;
  bool multiply = false;
  bool exact_case = false;
  bool json = false;
};

HeldOutLoss loss_of(const VectorEvalArguments& a, const WordVectors& vectors, ThreadPool& threads) {
  if (a.output_vectors.empty()) {
    fail_usage("--held-out: the loss needs the output matrix too; name its file with --output-vectors");
  }
  const Vocabulary stored = a.vocabulary.empty() ? Vocabulary() : read_vocabulary(a.vocabulary);
  const Vocabulary& vocabulary = a.vocabulary.empty() ? vectors.vocabulary : stored;
  if (vocabulary.total() == 0) {
    fail_usage(
        fmt::format("--held-out: {} has no counts of its words, which the noise is drawn by; name a file of "
                    "words and counts with --vocabulary",
                    a.vectors));
  }
  const WordVectors output = read_word_vectors(a.output_vectors);
  WordSourceOptions source;
  source.sources = {a.held_out};
  source.unit = a.unit == "character" ? WordUnit::character : WordUnit::whitespace;
  HeldOutOptions options = a.loss;
  options.architecture = parse_architecture(a.model);
  return held_out_loss(options, vocabulary, read_held_out_text(source, vocabulary), rows_in_order(vectors, vocabulary),
                       rows_in_order(output, vocabulary), threads);
}

Json to_json(const AnalogyScore& score) {
  return {{"correct", score.correct},
          {"asked", score.asked},
          {"skipped", score.skipped},
          {"accuracy", score.accuracy()},
          {"coverage", score.coverage()}};
}

Json to_json(const AnalogyResult& result) {
  Json sections = Json::object();
  for (const AnalogyResult::Section& s : result.sections) sections[s.name] = to_json(s.score);
  Json json = {{"sections", sections}};
  if (result.has_kinds) {
    json["semantic"] = to_json(result.semantic);
    json["syntactic"] = to_json(result.syntactic);
  }
  json["total"] = to_json(result.total);
  return json;
}

void print_json(const Evaluation& evaluation, const std::optional<HeldOutLoss>& loss) {
  Json analogies = Json::object(), similarity = Json::object();
  for (const Evaluation::Analogies& a : evaluation.analogies) analogies[a.file] = to_json(a.result);
  for (const auto& [file, r] : evaluation.similarity) {
    similarity[file] = {{"spearman", r.spearman}, {"pearson", r.pearson}, {"pairs", r.pairs}, {"covered", r.covered}};
  }
  Json record = {{"analogies", analogies}, {"similarity", similarity}};
  if (loss) {
    record["held_out_loss"] = loss->loss;
    record["held_out_pairs"] = loss->pairs;
  }
  std::cout << record.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

std::string percent(double share) { return std::isnan(share) ? "-" : fmt::format("{:.1f} %", 100 * share); }

std::string correlation(double value) { return std::isnan(value) ? "-" : fmt::format("{:.4f}", value); }

void print_row(std::string_view name, const AnalogyScore& score) {
  fmt::print("  {:<34} {:>8} {:>8} {:>8} {:>9} {:>9}\n", name, score.correct, score.asked, score.skipped,
             percent(score.accuracy()), percent(score.coverage()));
}

void print_text(const Evaluation& evaluation, const std::optional<HeldOutLoss>& loss) {
  for (const auto& [file, result] : evaluation.analogies) {
    fmt::print("{:<36} {:>8} {:>8} {:>8} {:>9} {:>9}\n", file, "correct", "asked", "skipped", "accuracy", "coverage");
    for (const AnalogyResult::Section& s : result.sections) print_row(s.name, s.score);
    if (result.has_kinds) {
      print_row("semantic", result.semantic);
      print_row("syntactic", result.syntactic);
    }
    print_row("total", result.total);
  }
  if (!evaluation.similarity.empty()) {
    fmt::print("{:<36} {:>8} {:>8} {:>8} {:>9} {:>9}\n", "similarity", "spearman", "pearson", "pairs", "covered",
               "coverage");
  }
  for (const auto& [file, r] : evaluation.similarity) {
    fmt::print("  {:<34} {:>8} {:>8} {:>8} {:>9} {:>9}\n", file, correlation(r.spearman), correlation(r.pearson),
               r.pairs, r.covered, percent(static_cast<double>(r.covered) / static_cast<double>(r.pairs)));
  }
  if (loss) fmt::print("held-out loss {:.5f} nats, mean of {} pairs\n", loss->loss, loss->pairs);
}

void run_vector_eval(VectorEvalArguments a) {
  if (a.files.empty() && a.held_out.empty())
    fail_usage("eval: name sets of questions or pairs, or a text with --held-out");
  a.options.analogy.rule = a.multiply ? AnalogyRule::multiply : AnalogyRule::add;
  a.options.analogy.fold_case = !a.exact_case;
  ThreadPool threads(a.threads);
  const WordVectors vectors = read_word_vectors(a.vectors);
  const Evaluation evaluation = evaluate_word_vectors(vectors, a.files, a.options, threads);
  for (const std::string& file : evaluation.left_out) {
    fmt::print(stderr, "{}: neither analogies nor pairs with scores; left out\n", file);
  }
  std::optional<HeldOutLoss> loss;
  if (!a.held_out.empty()) loss = loss_of(a, vectors, threads);
  a.json ? print_json(evaluation, loss) : print_text(evaluation, loss);
}

void add_held_out(CLI::App& app, VectorEvalArguments& a) {
  app.add_option("--held-out", a.held_out, "a text that training did not see: its mean negative-sampling loss");
  app.add_option("--output-vectors", a.output_vectors, "the output matrix for it, as word vectors");
  app.add_option("--vocabulary", a.vocabulary, "lines \"word count\" for it, where VECTORS has no counts");
  app.add_option("--model", a.model, "skipgram or cbow, for the loss");
  app.add_option("--window", a.loss.window, "most words to either side, for the loss")->check(CLI::Range(1, 1000));
  app.add_option("--negative", a.loss.negative, "noise words a pair, for the loss")->check(CLI::Range(1, 1000));
  app.add_option("--seed", a.loss.seed, "other windows and noise words, for the loss");
  app.add_option("--unit", a.unit, "words of the text: whitespace or character")
      ->check(CLI::IsMember({"whitespace", "character"}));
}

}  // namespace

void add_vectors_eval(CLI::App& app, int&) {
  auto a = std::make_shared<VectorEvalArguments>();
  app.add_option("VECTORS", a->vectors, "word vectors of any format that sesame vectors convert reads")->required();
  app.add_option("FILE", a->files,
                 "analogies (\": section\" and lines of four words), pairs (two words and a score a line), or a "
                 "directory with such files");
  app.add_option("--restrict", a->options.restrict_words, "analogies: only the first so many words; 0: all")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 31));
  app.add_flag("--mul", a->multiply, "analogies: score by multiplication (3CosMul) instead of addition (3CosAdd)");
  app.add_flag("--exact-case", a->exact_case, "analogies: upper and lower case differ");
  app.add_flag("--subwords", a->options.subwords, "pairs: words outside the vocabulary too, by their n-grams");
  add_held_out(app, *a);
  app.add_option("--threads", a->threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--json", a->json, "one JSON object");
  app.footer(
      "Example:\n  sesame vectors eval vectors.bin questions-words.txt EN-WS-353-ALL.txt\n"
      "  sesame vectors eval vectors.bin sets/ --restrict 30000 --json");
  app.callback([a] { run_vector_eval(*a); });
}

}  // namespace sesame
