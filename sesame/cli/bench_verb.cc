#include "sesame/cli/bench_step.h"
#include "sesame/cli/bench_tokenizer.h"
#include "sesame/cli/verbs.h"

namespace sesame {

void add_bench(CLI::App& app, int&) {
  app.require_subcommand(1);
  add_bench_step(app);
  add_bench_tokenizer(app);
  app.footer(
      "Example:\n  sesame bench step recipes/baby-gpt.toml --profile\n"
      "  sesame bench tokenizer tokenizer.json corpus.txt");
}

}  // namespace sesame
