#include <fmt/format.h>

#include <memory>

#include "sesame/base/error.h"
#include "sesame/cli/verbs.h"
#include "sesame/train/trainer.h"

namespace sesame {
namespace {

struct TrainArguments {
  std::string recipe;
  std::vector<std::string> settings;
  std::string memory;
  std::string out;
  bool resume = false;
  bool overwrite = false;
  bool json = false;
  bool reference = false;
};

int run_train(const TrainArguments& a) {
  if (a.reference) {
    fmt::print("{}", recipe_reference());
    return 0;
  }
  if (a.recipe.empty()) fail_usage("train: name a recipe, such as recipes/demo.toml");
  if (a.out.empty()) fail_usage("train: name the directory of the run with --out DIR");
  if (a.resume && a.overwrite) fail_usage("train: --resume and --overwrite exclude each other");
  TrainRequest request;
  std::vector<std::string> settings = a.settings;
  if (!a.memory.empty()) settings.push_back("train.memory=" + a.memory);
  request.recipe = load_recipe(a.recipe, settings);
  request.out = a.out;
  request.resume = a.resume;
  request.overwrite = a.overwrite;
  request.json = a.json;
  return train(request).end == TrainResult::End::interrupted ? 130 : 0;
}

}  // namespace

void add_train(CLI::App& app, int& status) {
  auto a = std::make_shared<TrainArguments>();
  app.add_option("RECIPE", a->recipe, "settings, a TOML file (recipes/ has some)");
  app.add_option("--set", a->settings, "one setting, section.key=value; may be given again")->allow_extra_args(false);
  app.add_option("--memory", a->memory,
                 "most memory of a step, such as 1.5GiB, or auto; short for --set train.memory=");
  app.add_option("--out", a->out, "directory of the run: models, metrics, checkpoints");
  app.add_flag("--resume", a->resume, "go on with the run in --out");
  app.add_flag("--overwrite", a->overwrite, "throw the run in --out away and begin anew");
  app.add_flag("--json", a->json, "a JSON object a line on standard output for each evaluation and the end");
  app.add_flag("--help-recipe", a->reference, "list every setting of a recipe");
  app.footer(
      "Example:\n  sesame train recipes/shakespeare-char.toml --set data.train=shakespeare.txt --out shakespeare\n"
      "  sesame generate shakespeare --prompt \"ROMEO:\"\n\nCtrl-C saves; the same command with --resume goes on.");
  app.callback([a, &status] { status = run_train(*a); });
}

}  // namespace sesame
