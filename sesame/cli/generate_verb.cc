#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <memory>

#include "sesame/base/error.h"
#include "sesame/base/interrupt.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/verbs.h"
#include "sesame/infer/generator.h"
#include "sesame/io/byte_stream.h"
#include "sesame/io/json_lines.h"
#include "sesame/train/run_directory.h"

namespace sesame {
namespace {

struct GenerateArguments {
  std::string model;
  std::string prompt;
  GenerateOptions options;
  int64_t samples = 1;
  int threads = 0;
  bool no_prompt = false;
  bool json = false;
};

void show(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

JsonRecord to_json(const Generation& g, int64_t sample, const std::string& prompt) {
  JsonRecord record;
  record.add("sample", sample).add("prompt", prompt).add("text", g.text);
  record.add("tokens", static_cast<int64_t>(g.tokens.size())).add("reason", name_of(g.reason));
  record.add("prompt_tokens", g.prompt_tokens).add("prompt_dropped", g.prompt_dropped);
  record.add("prompt_seconds", g.prompt_seconds).add("generate_seconds", g.generate_seconds);
  return record;
}

void report(const Generation& g) {
  if (g.prompt_dropped > 0)
    fmt::print(stderr, "prompt: longer than the context, its first {} tokens were left out\n", g.prompt_dropped);
  if (g.generate_seconds > 0)
    fmt::print(stderr, "{} tokens, {:.0f} tokens/s, ended by {}\n", g.tokens.size(),
               static_cast<double>(g.tokens.size()) / g.generate_seconds, name_of(g.reason));
}

int run_generate(GenerateArguments a) {
  check(a.options.sampling);
  if (a.prompt == "-") {
    const std::unique_ptr<ByteReader> in = open_bytes("-");
    a.prompt = read_all(*in, size_t{64} << 20);
  }
  const std::filesystem::path directory = find_model(a.model);
  ThreadPool threads(a.threads);
  Generator generator(load_model(directory), Tokenizer::load(directory), threads);
  const InterruptGuard guard;
  for (int64_t i = 0; i < a.samples && !InterruptGuard::interrupted(); ++i) {
    a.options.sample = static_cast<uint64_t>(i);
    if (!a.json && i > 0) show("---\n");
    if (!a.json && !a.no_prompt) show(a.prompt);
    const Generation g = generator.generate(a.prompt, a.options, [&](std::string_view text) {
      if (!a.json) show(text);
      return !InterruptGuard::interrupted();
    });
    if (a.json) {
      show(to_json(g, i, a.prompt).line() + "\n");
    } else {
      show("\n");
      report(g);
    }
  }
  return InterruptGuard::interrupted() ? 130 : 0;
}

}  // namespace

void add_generate(CLI::App& app, int& status) {
  auto a = std::make_shared<GenerateArguments>();
  GenerateOptions& o = a->options;
  app.add_option("MODEL", a->model, "a model directory, or the directory of a training run (its best model)")
      ->required();
  app.add_option("--prompt", a->prompt, "how the text begins; - reads it from standard input");
  app.add_option("--max-tokens", o.max_tokens, "most tokens to write")->check(CLI::Range(int64_t{1}, int64_t{1} << 40));
  app.add_option("--temperature", o.sampling.temperature, "below 1: more sober; 0: always the likeliest token");
  app.add_option("--top-k", o.sampling.top_k, "only among the k likeliest tokens; 0: all");
  app.add_option("--top-p", o.sampling.top_p, "only among the likeliest tokens that reach this probability together");
  app.add_option("--min-p", o.sampling.min_p,
                 "only tokens with at least this share of the likeliest one's probability");
  app.add_option("--repetition-penalty", o.sampling.repetition_penalty, "above 1: fewer repetitions");
  app.add_option("--stop", o.stop, "end before this text; may be given again")->allow_extra_args(false);
  app.add_option("--seed", o.seed, "another seed, another text");
  app.add_option("--samples", a->samples, "texts to write, separated by a line ---")->check(CLI::Range(1, 1000000));
  app.add_option("--threads", a->threads, "processors to use; 0: all")->check(CLI::Range(0, 1024));
  app.add_flag("--parse-special", o.parse_special, "<|endoftext|> and the like in the prompt are special tokens");
  app.add_flag("--ignore-end", o.ignore_end, "go on after an end-of-text token");
  app.add_flag("--no-prompt", a->no_prompt, "do not write the prompt before the text");
  app.add_flag("--json", a->json, "one JSON object a line for each sample");
  app.footer(
      "Example:\n  sesame generate shakespeare --prompt \"ROMEO:\" --temperature 0.8 --top-k 40 --max-tokens 300");
  app.callback([a, &status] { status = run_generate(*a); });
}

}  // namespace sesame
