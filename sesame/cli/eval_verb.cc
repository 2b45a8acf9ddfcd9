#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "sesame/base/progress.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/verbs.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/infer/scorer.h"
#include "sesame/io/json_lines.h"
#include "sesame/train/run_directory.h"

namespace sesame {
namespace {

struct EvalArguments {
  std::string model;
  std::vector<std::string> data;
  std::string format = "auto";
  std::string text_field = "text";
  ScoreOptions options;
  int threads = 0;
  bool json = false;
};

void run_eval(const EvalArguments& a) {
  const std::filesystem::path directory = find_model(a.model);
  LoadedModel model = load_model(directory);
  const Tokenizer tokenizer = Tokenizer::load(directory);
  CorpusOptions corpus;
  corpus.format = parse_corpus_format(a.format, "--format");
  corpus.text_field = a.text_field;
  ThreadPool threads(a.threads);
  std::optional<Progress> progress;
  const Score s = score_text(model, tokenizer, a.data, corpus, a.options, threads, [&](int64_t done, int64_t total) {
    if (!progress) progress.emplace("eval", static_cast<uint64_t>(total));
    progress->update(static_cast<uint64_t>(done), "tokens");
  });
  if (progress) progress->finish(Progress::End::clear);
  if (a.json) {
    JsonRecord record;
    record.add("loss", s.loss()).add("perplexity", s.perplexity()).add("bits_per_byte", s.bits_per_byte());
    record.add("tokens", s.tokens).add("bytes", s.bytes);
    std::puts(record.line().c_str());
  } else {
    fmt::print(
        "loss           {:.4f} nats per token\nperplexity     {:.3f}\nbits per byte  {:.4f}\ntokens         {}\n",
        s.loss(), s.perplexity(), s.bits_per_byte(), s.tokens);
  }
}

}  // namespace

void add_eval(CLI::App& app, int&) {
  auto a = std::make_shared<EvalArguments>();
  app.add_option("MODEL", a->model, "a model directory, or the directory of a training run (its best model)")
      ->required();
  app.add_option("--data", a->data, "text: a file, a glob or - for standard input; may be given again")
      ->required()
      ->allow_extra_args(false);
  app.add_option("--format", a->format, "auto, txt or jsonl");
  app.add_option("--text-field", a->text_field, "field of a jsonl line that holds the text");
  app.add_option("--window", a->options.window, "tokens that are seen at once; 0: the model's context")
      ->check(CLI::Range(0, 1 << 20));
  app.add_option(
         "--stride", a->options.stride,
         "tokens that the window moves on; less than the window gives each token more context; 0: a whole window")
      ->check(CLI::Range(0, 1 << 20));
  app.add_option("--batch", a->options.batch, "windows at once")->check(CLI::Range(1, 1 << 16));
  app.add_option("--threads", a->threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--json", a->json, "one JSON object");
  app.footer("Example:\n  sesame eval shakespeare --data held-out.txt --stride 32 --json");
  app.callback([a] { run_eval(*a); });
}

}  // namespace sesame
