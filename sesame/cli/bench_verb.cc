#include "sesame/cli/bench_step.h"
#include "sesame/cli/verbs.h"

namespace sesame {

void add_bench(CLI::App& app, int&) {
  app.require_subcommand(1);
  add_bench_step(app);
  app.footer("Example:\n  sesame bench step recipes/baby-gpt.toml --profile");
}

}  // namespace sesame
