#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/base/interrupt.h"
#include "sesame/base/machine.h"
#include "sesame/base/progress.h"
#include "sesame/base/text_format.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/vectors.h"
#include "sesame/io/json_lines.h"
#include "sesame/word_vectors/train_to_file.h"

namespace sesame {
namespace {

struct VectorTrainArguments {
  VectorRequest request;
  std::string model = "skipgram";
  std::string loss = "ns";
  std::string subsampling = "code";
  std::string corpus_format = "auto";
  std::string out_format = "auto";
  std::string unit = "whitespace";
  std::string tokenizer;
  std::string memory = "1GiB";
  std::optional<int64_t> epochs;
  int threads = 0;
  bool full_gradient = false;
  bool json = false;
};

WordUnit parse_unit(const std::string& text) {
  if (text == "whitespace") return WordUnit::whitespace;
  if (text == "character") return WordUnit::character;
  if (text == "tokenizer") return WordUnit::tokenizer;
  fail_usage(fmt::format("--unit: \"{}\" is not one of whitespace, character, tokenizer", text));
}

VectorRequest request_of(const VectorTrainArguments& a) {
  VectorRequest r = a.request;
  r.options.architecture = parse_architecture(a.model);
  r.options.loss = parse_vector_loss(a.loss);
  r.options.subsampling = parse_subsampling_rule(a.subsampling);
  r.options.cbow_gradient = a.full_gradient || r.compat ? CbowGradient::full : CbowGradient::mean;
  const bool standard_input = std::ranges::find(r.source.sources, "-") != r.source.sources.end();
  r.options.epochs = a.epochs.value_or(standard_input ? 1 : r.options.epochs);
  r.source.corpus.format = parse_corpus_format(a.corpus_format, "--format");
  r.source.unit = a.tokenizer.empty() ? parse_unit(a.unit) : WordUnit::tokenizer;
  if (r.source.unit == WordUnit::tokenizer) {
    if (a.tokenizer.empty()) fail_usage("--unit tokenizer: name it with --tokenizer F");
    r.source.tokenizer = Tokenizer::load(a.tokenizer);
  }
  r.count.memory_bytes = parse_bytes(a.memory, "--memory");
  r.format = parse_vector_format(a.out_format, "--out-format");
  return r;
}

/// Shows a run on standard error: a bar for each of its parts.
class VectorDisplay {
 public:
  explicit VectorDisplay(ThreadPool& threads) : peak_gflops_(probe_peak_gflops(threads)) {}

  double peak_gflops() const { return peak_gflops_; }

  VectorObserver observer() {
    VectorObserver o;
    o.counting = [this](uint64_t bytes) { reading("words", bytes); };
    o.encoding = [this](uint64_t bytes) { reading("ids", bytes); };
    o.vocabulary = [this](const Vocabulary& vocabulary, const CountResult* count) { found(vocabulary, count); };
    o.training = [this](const VectorProgress& now) { training(now); };
    o.stop = [] { return InterruptGuard::interrupted(); };
    return o;
  }

  void finish() { bar_.reset(); }

 private:
  void reading(const char* title, uint64_t bytes) {
    if (title_ != title) start(title, 0);
    if (bar_->due()) bar_->update(bytes, fmt::format("{} of text", human_bytes(bytes)));
  }

  void found(const Vocabulary& vocabulary, const CountResult* count) {
    bar_.reset();
    title_.clear();
    std::string line = fmt::format("vocabulary: {} words", vocabulary.size());
    if (count != nullptr)
      line += fmt::format(" of {} distinct ones; {} of {} words of the text are in it", count->distinct_words,
                          vocabulary.total(), count->words);
    fmt::print(stderr, "{}\n", line);
  }

  void training(const VectorProgress& now) {
    if (title_ != "train") {
      start("train", now.total_words);
      first_words_ = now.position.words;
      first_seconds_ = now.seconds;
      return;
    }
    if (!bar_->due()) return;
    const auto done = static_cast<double>(now.position.words - first_words_);
    const double speed = done / std::max(now.seconds - first_seconds_, 1e-9);
    const double left = speed > 0 ? static_cast<double>(now.total_words - now.position.words) / speed : 0;
    std::string fields = fmt::format("loss {:.4f}, rate {:.5f}, {} words/s", now.loss, now.rate, human_count(speed));
    if (now.flops > 0) fields += fmt::format(", {:.0f} % of peak", now.flops / now.seconds / peak_gflops_ / 1e9 * 100);
    bar_->update(now.position.words, fmt::format("{}, {} left", fields, human_duration(left)));
  }

  void start(const char* title, uint64_t total) {
    bar_.reset();
    title_ = title;
    bar_.emplace(title, total);
  }

  double peak_gflops_ = 0;
  std::string title_;
  uint64_t first_words_ = 0;  // at the first report, from which speed is counted
  double first_seconds_ = 0;
  std::optional<Progress> bar_;
};

double words_per_second(const VectorReport& report) {
  return static_cast<double>(report.words_trained) / std::max(report.seconds(), 1e-9);
}

double share_of_peak(const VectorReport& report, double peak_gflops) {
  return report.flops / std::max(report.train_seconds, 1e-9) / (peak_gflops * 1e9);
}

JsonRecord to_json(const VectorReport& report, double peak_gflops, const VectorRequest& request, int threads) {
  JsonRecord record;
  record.add("words_per_s", words_per_second(report)).add("train_words", report.train_words);
  record.add("vocabulary", report.vocabulary).add("seconds", report.seconds());
  record.add("peak_rss_bytes", peak_resident_bytes()).add("matrix_bytes", report.matrix_bytes);
  record.add("words_trained", report.words_trained).add("epochs", report.options.epochs).add("threads", threads);
  record.add("count_seconds", report.count_seconds).add("encode_seconds", report.encode_seconds);
  record.add("train_seconds", report.train_seconds).add("write_seconds", report.write_seconds);
  record.add("loss", report.loss).add("flops", report.flops).add("peak_gflops", peak_gflops);
  record.add("share_of_peak", share_of_peak(report, peak_gflops));
  record.add("finished", report.finished).add("out", request.out.string()).add("options", describe(report.options));
  return record;
}

void print_report(const VectorReport& report, double peak_gflops, const VectorRequest& request) {
  fmt::print("{}: {} vectors of {} dimensions\n", request.out.string(), report.vocabulary, report.options.dim);
  fmt::print("{} words in {}, reading included: {} words/s", human_count(static_cast<double>(report.words_trained)),
             human_duration(report.seconds()), human_count(words_per_second(report)));
  if (!request.compat)
    fmt::print("; training at {:.0f} % of the peak, loss {:.4f}", share_of_peak(report, peak_gflops) * 100,
               report.loss);
  fmt::print("\n");
}

int run_train(const VectorTrainArguments& a) {
  const VectorRequest request = request_of(a);
  ThreadPool threads(a.threads);
  VectorDisplay display(threads);
  const InterruptGuard guard;
  fmt::print(stderr, "{}\n", describe(resolved(request.options)));
  const VectorReport report = train_vectors_to_file(request, threads, display.observer());
  display.finish();
  if (a.json)
    fmt::print("{}\n", to_json(report, display.peak_gflops(), request, threads.threads()).line());
  else
    print_report(report, display.peak_gflops(), request);
  if (report.finished) return 0;
  fmt::print(stderr, "stopped; {} can be used as it is{}\n", request.out.string(),
             request.compat ? "" : ", and the same command with --resume goes on");
  return 130;
}

void add_corpus_options(CLI::App& app, VectorTrainArguments& a) {
  VectorRequest& r = a.request;
  app.add_option("FILE", r.source.sources, "text, jsonl, .gz, .zst, a glob, or - for standard input")->required();
  app.add_option("--format", a.corpus_format, "auto, txt or jsonl");
  app.add_option("--text-field", r.source.corpus.text_field, "of jsonl: the field that holds the text");
  app.add_option("--unit", a.unit, "what a word is: whitespace, character (Chinese), tokenizer");
  app.add_option("--tokenizer", a.tokenizer, "a tokenizer.json or model directory, whose pieces are the words");
  app.add_flag("--lower", r.source.lower_case, "lower-case the text");
  app.add_option("--min-count", r.count.min_count, "leave out words that are rarer");
  app.add_option("--max-words", r.count.max_words, "keep only so many, the most frequent; 0: all");
  app.add_option("--memory", a.memory, "most memory for counting; beyond it, counts go to temporary files");
  app.add_option("--vocabulary", r.vocabulary, "words and counts from this file instead of counting");
  app.add_option("--save-vocabulary", r.save_vocabulary, "write words and counts, a line each");
}

void add_model_options(CLI::App& app, VectorTrainArguments& a) {
  VectorOptions& o = a.request.options;
  app.add_option("--model", a.model, "skipgram or cbow");
  app.add_option("--loss", a.loss, "ns (negative sampling) or hs (hierarchical softmax)");
  app.add_option("--dim", o.dim, "dimensions of a vector");
  app.add_option("--window", o.window, "most words to either side");
  app.add_flag("--fixed-window", o.fixed_window, "always so many, not a random number up to that");
  app.add_option("--negative", o.negative, "noise words for each pair");
  app.add_option("--noise-exponent", o.noise_exponent, "noise words are drawn in proportion to count^this");
  app.add_option("--sample", o.sample, "threshold above which frequent words are thinned out; 0: never");
  app.add_option("--subsampling", a.subsampling, "formula: code (word2vec.c) or paper");
  app.add_option("--rate", o.rate, "initial learning rate; 0: 0.025 skipgram, 0.15 cbow");
  app.add_option("--epochs", a.epochs, "times through the text (default 5; standard input 1)");
  app.add_option("--seed", o.seed, "another seed, other initial vectors and draws");
  app.add_flag("--full-gradient", a.full_gradient,
               "cbow: every context word gets the whole gradient, as in word2vec.c");
  app.add_option("--min-n", o.min_n, "shortest character n-gram");
  app.add_option("--max-n", o.max_n, "longest character n-gram; 0: none");
  app.add_option("--buckets", o.buckets, "rows that n-grams share");
}

void add_run_options(CLI::App& app, VectorTrainArguments& a) {
  VectorRequest& r = a.request;
  VectorOptions& o = r.options;
  app.add_option("--out", r.out, "file of the vectors: .bin, .txt, .vec or .safetensors")->required();
  app.add_option("--out-format", a.out_format,
                 "auto, word2vec, word2vec-text, fasttext, fasttext-text, glove, safetensors");
  app.add_option("--save-output", r.save_output, "write the output matrix as well");
  app.add_option("--threads", a.threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--deterministic", o.deterministic, "the same bytes for any number of threads");
  app.add_option("--block", o.block, "centre words that share their noise words; 0: 16 skipgram, 4 cbow");
  app.add_option("--shared-negatives", o.shared_negatives, "noise words of a block; 0: each centre word its own");
  app.add_option("--hot-rows", o.hot_rows, "most frequent output rows that each thread keeps for itself");
  app.add_flag("--compat", r.compat, "word2vec.c, step by step: slow, for comparison");
  app.add_flag("--resume", r.resume, "go on with a run that was stopped");
  app.add_option("--checkpoint-seconds", r.checkpoint_seconds, "between checkpoints; 0: only when stopped");
  app.add_option("--temporary", r.temporary, "directory for the corpus as ids, 4 bytes a word; default: that of --out");
  app.add_flag("--json", a.json, "one JSON object at the end");
}

}  // namespace

void add_vectors_train(CLI::App& app, int& status) {
  auto a = std::make_shared<VectorTrainArguments>();
  app.option_defaults()->always_capture_default();
  add_corpus_options(app, *a);
  add_model_options(app, *a);
  add_run_options(app, *a);
  app.footer(
      "Examples:\n  sesame vectors train corpus.txt --dim 100 --window 5 --negative 5 --out vectors.bin\n"
      "  sesame vectors train corpus.txt --min-n 3 --max-n 6 --out model.bin        vectors for unseen words too\n"
      "  zcat more.gz | sesame vectors train - --vocabulary words.txt --out vectors.bin\n\n"
      "Ctrl-C leaves a file that can be used; the same command with --resume goes on.");
  app.callback([a, &status] { status = run_train(*a); });
}

}  // namespace sesame
