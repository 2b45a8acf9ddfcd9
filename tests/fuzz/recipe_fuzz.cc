#include "sesame/train/model_recipe.h"
#include "sesame/train/recipe.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

void use(const Recipe& recipe) {
  require(parse_recipe(to_toml(recipe), "again") == recipe, "a recipe is written as it was read");
  allow_error([&] { model_config(recipe); });
}

/// The whole as a recipe, and its first line as the value of settings of each kind.
void parse(std::string_view input) {
  const std::string line(input.substr(0, input.find('\n')));
  for (const std::string_view key : {"optim.lr=", "train.steps=", "data.train=", "model.tie_word_embeddings=", ""}) {
    allow_error([&] { use(parse_recipe("", "recipe.toml", std::vector<std::string>{std::string(key) + line})); });
  }
  use(parse_recipe(input, "recipe.toml"));
}

std::vector<std::string> seeds() {
  return {
      to_toml(Recipe{}),
      "3e-4\n[data]\ntrain = [\"a.txt\", 'b*.jsonl']\nvalidation_fraction = 0.5\n[model]\nmodel_type = \"llama\"\n"
      "hidden_size = 64\nnum_attention_heads = 4\nnum_key_value_heads = 2\n[optim]\nlr = 1e-3\n"
      "[train]\nsteps = 1e3\nseed = 0x7f\n",
      "optim.lr=\"\"\"a\nb\"\"\"\n[train]\nsteps = 1979-05-27T07:32:00Z # comment\nmodel.n_head = {a = 1, b.c = [{}]}",
      "optim.lr=3\n" + repeated("a.", 200'000) + "a = 1",
      "\n[train]\nsteps = {" + repeated("'='.", 200'000) + "a = 1}",
      "[{" + repeated("a.", 200'000) + "a = 1}]\n[" + repeated("a.", 200'000) + "a]"};
}

const Target target("recipe", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
