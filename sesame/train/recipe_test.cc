#include "sesame/train/recipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sesame/base/error.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The message of the usage error that parsing gives; "" when it gives none.
std::string refusal(std::string_view toml, const std::vector<std::string>& settings = {}) {
  try {
    parse_recipe(toml, "r.toml", settings);
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::usage) << error.what();
    return error.what();
  }
  return "";
}

Recipe recipe_of(std::string_view toml, const std::vector<std::string>& settings = {}) {
  return parse_recipe(toml, "r.toml", settings);
}

TEST(Recipe, EmptyTextGivesTheDefaults) { EXPECT_EQ(recipe_of(""), Recipe{}); }

TEST(Recipe, PrintedRecipeReadsBackEqual) {
  Recipe recipe;
  recipe.data.train = {"a \"b\" \\ c\n\t.txt", "æøå/*.jsonl.zst", ""};
  recipe.optim.lr = 3e-7;
  recipe.optim.epsilon = 0.1 + 0.2;
  recipe.train.seed = 8'999'999'999'999'999;
  EXPECT_EQ(recipe_of(to_toml(recipe)), recipe) << to_toml(recipe);
  recipe.model.model_type = "llama";
  recipe.model.num_key_value_heads = 3;
  recipe.model.rope_theta = 500000;
  EXPECT_EQ(recipe_of(to_toml(recipe)), recipe) << to_toml(recipe);
}

TEST(Recipe, PrintsTheNamesOfItsFamily) {
  EXPECT_THAT(to_toml(Recipe{}), HasSubstr("n_embd = 384\n"));
  EXPECT_THAT(to_toml(Recipe{}), ::testing::Not(HasSubstr("rope_theta")));
  const std::string llama = to_toml(recipe_of("[model]\nmodel_type = 'llama'"));
  EXPECT_THAT(llama, HasSubstr("hidden_size = 384\n"));
  EXPECT_THAT(llama, HasSubstr("rope_theta = 10000\n"));
  EXPECT_THAT(llama, ::testing::Not(HasSubstr("n_embd")));
}

TEST(Recipe, EitherFamilysNameWillDo) {
  EXPECT_EQ(recipe_of("[model]\nhidden_size = 96").model.n_embd, 96);
  EXPECT_EQ(recipe_of("[model]\nmodel_type = 'llama'\nn_embd = 96").model.n_embd, 96);
  EXPECT_EQ(recipe_of("[model]\nmodel_type = 'llama'\nnum_key_value_heads = 2").model.num_key_value_heads, 2);
}

TEST(Recipe, SettingsOverrideTheFileInOrder) {
  const Recipe recipe = recipe_of(
      "[train]\nsteps = 5\n", {"train.steps=7", "train.steps=9", "optim.lr=3e-4", "data.train=a b.txt",
                               "data.validation=[\"x\", 'y']", "model.tie_word_embeddings=true", "tokenizer.path=007"});
  EXPECT_EQ(recipe.train.steps, 9);
  EXPECT_EQ(recipe.optim.lr, 3e-4);
  EXPECT_THAT(recipe.data.train, ElementsAre("a b.txt"));
  EXPECT_THAT(recipe.data.validation, ElementsAre("x", "y"));
  EXPECT_EQ(recipe.tokenizer.path, "007");
}

TEST(Recipe, FamilyGivenAsSettingDecidesWhatTheFileMayHold) {
  EXPECT_EQ(recipe_of("[model]\nrope_theta = 5e5", {"model.model_type=llama"}).model.rope_theta, 5e5);
  EXPECT_THAT(refusal("[model]\nmodel_type = 'llama'\nrope_theta = 5e5", {"model.model_type=gpt2"}),
              HasSubstr("r.toml:3: model.rope_theta means nothing for model.model_type = \"gpt2\""));
}

TEST(Recipe, WholeFloatsAreWholeNumbers) { EXPECT_EQ(recipe_of("[train]\nsteps = 1e6").train.steps, 1'000'000); }

struct Refusal {
  const char* toml;
  std::vector<std::string> settings;
  const char* message;
};

class RecipeRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(RecipeRefusal, SaysWhatWhereAndWhatToDo) {
  EXPECT_THAT(refusal(GetParam().toml, GetParam().settings), HasSubstr(GetParam().message)) << GetParam().toml;
}

INSTANTIATE_TEST_SUITE_P(
    All, RecipeRefusal,
    ::testing::Values(
        Refusal{"[train]\nsteps = 5\n\nstep = 3", {}, "r.toml:4: unknown key train.step (did you mean \"steps\"?)"},
        Refusal{"[train]\nlr = 0.1", {}, "r.toml:2: unknown key train.lr (did you mean \"optim.lr\"?)"},
        Refusal{"[model]\nn_layers = 3", {}, "r.toml:2: unknown key model.n_layers (did you mean \"n_layer\"?)"},
        Refusal{"[optim]\nzzzzzzzzzz = 1", {}, "r.toml:2: unknown key optim.zzzzzzzzzz; `sesame train --help-recipe`"},
        Refusal{"[optimizer]\nlr = 1", {}, "r.toml:1: unknown section [optimizer]"},
        Refusal{"[trian]\nsteps = 1", {}, "(did you mean \"train\"?); the sections are data, tokenizer, model"},
        Refusal{"steps = 1", {}, "r.toml:1: steps stands outside a section"},
        Refusal{"[train]\nsteps = ", {}, "r.toml:2: "}, Refusal{"[train\nsteps = 1", {}, "r.toml:1: "},
        Refusal{"[train]\nsteps = \"many\"",
                {},
                "r.toml:2: train.steps = 'many': must be a whole number from 1 to 1000000000"},
        Refusal{"[train]\nsteps = 0", {}, "train.steps = 0: must be a whole number from 1 to 1000000000"},
        Refusal{"[train]\nsteps = -5", {}, "train.steps = -5: must be a whole number from 1"},
        Refusal{"[train]\nsteps = 1.5", {}, "train.steps = 1.5: must be a whole number from 1"},
        Refusal{"[train]\nsteps = 1e300", {}, "must be a whole number from 1"},
        Refusal{"[train]\nsteps = inf", {}, "must be a whole number from 1"},
        Refusal{"[train]\nsteps = 99999999999999999999", {}, "r.toml:2: "},
        Refusal{"[train]\ncontext = 1000000000",
                {},
                "train.context = 1000000000: must be a whole number from 1 to 1048576"},
        Refusal{"[model]\nn_embd = 1000000", {}, "model.n_embd = 1000000: must be a whole number from 1 to 65536"},
        Refusal{"[model]\nmodel_type = 'llama'\nhidden_size = 0", {}, "r.toml:3: model.hidden_size = 0: must be"},
        Refusal{"[model]\ndropout = 1.0", {}, "model.dropout = 1.0: must be a number from 0 to below 1"},
        Refusal{"[model]\ndropout = nan", {}, "must be a number from 0 to below 1"},
        Refusal{"[model]\ntie_word_embeddings = 1", {}, "model.tie_word_embeddings = 1: must be true or false"},
        Refusal{"[model]\nmodel_type = 'gpt3'", {}, "must be one of \"gpt2\", \"llama\" (did you mean \"gpt2\"?)"},
        Refusal{"[model]\nmodel_type = 2", {}, "r.toml:2: model.model_type = 2: must be one of \"gpt2\", \"llama\""},
        Refusal{"[optim]\nschedule = 'cosin'",
                {},
                "must be one of \"constant\", \"linear\", \"cosine\" (did you mean \"cosine\"?)"},
        Refusal{"[optim]\nlr = -1e-3", {}, "optim.lr = -0.001: must be a number from 0 to 100"},
        Refusal{"[data]\ntrain = 3", {}, "data.train = 3: must be text in quotes or a list of texts"},
        Refusal{"[data]\ntrain = ['a', 3]", {}, "must be text in quotes or a list of texts"},
        Refusal{"[data]\nvalidation_fraction = 1", {}, "must be a number from 0 to below 1"},
        Refusal{"[model]\nn_embd = 64\nhidden_size = 64", {}, "are two names of one setting; keep one"},
        Refusal{"[model]\nn_embd = 100\nn_head = 3", {}, "r.toml:3: model.n_head = 3 must divide model.n_embd = 100"},
        Refusal{"[model]\nmodel_type = 'llama'\nhidden_size = 96\nnum_attention_heads = 6\nnum_key_value_heads = 4",
                {},
                "r.toml:5: model.num_key_value_heads = 4 must divide model.num_attention_heads = 6"},
        Refusal{"[model]\nmodel_type = 'llama'\nhidden_size = 9\nnum_attention_heads = 3", {}, "must be even"},
        Refusal{"[model]\ntie_word_embeddings = false", {}, "GPT-2's output projection is its embedding"},
        Refusal{"[model]\nn_positions = 64\n[train]\ncontext = 65",
                {},
                "r.toml:4: train.context = 65 is more than model.n_positions = 64"},
        Refusal{"[optim]\nlr = 1e-3\nmin_lr = 1e-2", {}, "r.toml:3: optim.min_lr = 0.01 is more than optim.lr = 0.001"},
        Refusal{"[train]\nbatch_size = 65536\ncontext = 1048576", {}, "use train.accumulation for larger steps"},
        Refusal{"[train]\nmemory = \"much\"", {}, "r.toml:2: train.memory = \"much\": must be a size"},
        Refusal{"", {"train.memory=3 elephants"}, "--set train.memory=3 elephants: train.memory"},
        Refusal{"", {"train.split=ato"}, "did you mean \"auto\"?"},
        Refusal{"", {"train.steps=many"}, "--set train.steps=many: train.steps = 'many': must be a whole number"},
        Refusal{"", {"train.steps=-1"}, "--set train.steps=-1: train.steps = -1: must be"},
        Refusal{"", {"train.stepps=1"}, "unknown key train.stepps (did you mean \"steps\"?)"},
        Refusal{"", {"steps=1"}, "--set steps=1: must be section.key=value, such as optim.lr=3e-4"},
        Refusal{"", {"train.steps"}, "must be section.key=value"},
        Refusal{"", {"trin.steps=1"}, "unknown section [trin] (did you mean \"train\"?)"},
        Refusal{"", {"train.steps=1\noptim.lr=5"}, "must be a whole number"}));

TEST(Recipe, MissingFileIsAUsageErrorThatNamesIt) {
  try {
    load_recipe("/nonexistent/recipe.toml");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::usage);
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/recipe.toml"));
  }
}

TEST(Recipe, DifferencesAreNamedByTheFamilysKeys) {
  Recipe a;
  Recipe b;
  b.model.n_embd = 96;
  b.train.steps = 3;
  EXPECT_THAT(differing_keys(a, b), ElementsAre("model.n_embd", "train.steps"));
  b.model.model_type = "llama";
  EXPECT_THAT(differing_keys(a, b), ElementsAre("model.model_type", "model.hidden_size", "train.steps"));
}

TEST(Recipe, ReferenceNamesEveryKey) {
  const std::string reference = recipe_reference();
  for (const char* key : {"[data]", "train", "validation_fraction", "[tokenizer]", "vocab_size", "n_embd (hidden_size)",
                          "rope_theta (llama)", "warmup_steps", "eval_every", "a whole number from 1 to 1000000000"})
    EXPECT_THAT(reference, HasSubstr(key));
}

}  // namespace
}  // namespace sesame
