#include "sesame/infer/scorer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/models/gpt.h"
#include "sesame/runtime/program.h"
#include "sesame/text/character_tokenizer.h"

namespace sesame {
namespace {

LoadedModel random_model(int64_t context, int64_t vocabulary, double std, Family family = Family::llama) {
  LoadedModel model;
  model.config = default_config(family);
  model.config.vocab_size = vocabulary;
  model.config.context = context;
  model.config.width = 16;
  model.config.layers = 2;
  model.config.heads = 2;
  model.config.initializer_range = std;
  model.config = resolved(model.config, "test");
  const std::vector<Parameter> parameters = gpt_parameters(model.config);
  create_parameters(model.variables, parameters);
  for (const Parameter& parameter : parameters) {
    const Tensor tensor = model.variables.get(parameter.name);
    initialise(parameter, 3, {tensor.as<float>(), static_cast<size_t>(tensor.elements())});
  }
  return model;
}

std::vector<int32_t> some_tokens(size_t count, int32_t vocabulary) {
  std::vector<int32_t> ids(count);
  for (size_t i = 0; i < count; ++i)
    ids[i] = static_cast<int32_t>((i * i * 7 + i / 3) % static_cast<size_t>(vocabulary));
  return ids;
}

// -ln p of the last of `ids` given the ones before it, straight from the logits.
double surprise(LoadedModel& model, std::span<const int32_t> ids, ThreadPool& threads) {
  Graph graph;
  Builder builder(graph);
  Parameters parameters;
  const auto time = static_cast<int64_t>(ids.size()) - 1;
  const Value tokens = builder.input("tokens", {DType::i32, {1, time}});
  builder.output("logits", gpt_logits(parameters, model.config, tokens));
  Program program(graph, {nullptr, &threads, &model.variables, nullptr});
  std::copy(ids.begin(), ids.end() - 1, program.input("tokens").as<int32_t>());
  program.run({});
  const int64_t vocabulary = model.config.vocab_size;
  const float* row = program.output("logits").as<float>() + (time - 1) * vocabulary;
  double sum = 0;
  for (int64_t v = 0; v < vocabulary; ++v) sum += std::exp(double{row[v]});
  return std::log(sum) - double{row[ids.back()]};
}

class Scorer : public testing::Test {
 protected:
  // The sum over every token of what it costs, each with the tokens from the start of its window.
  double expected_nats(const std::vector<int32_t>& text, int64_t window, int64_t stride) {
    double sum = 0;
    const auto last = static_cast<int64_t>(text.size()) - 1;
    for (int64_t target = 1; target <= last; ++target) {
      int64_t begin = 0;
      while (begin + window < target) begin += stride;
      const std::span<const int32_t> all(text);
      sum += surprise(model, all.subspan(static_cast<size_t>(begin), static_cast<size_t>(target - begin + 1)), threads);
    }
    return sum;
  }

  ThreadPool threads{2};
  LoadedModel model = random_model(8, 23, 0.5);
  std::vector<int32_t> ids = some_tokens(31, 23);
};

TEST_F(Scorer, ScoresEveryTokenButTheFirstOnceWhateverTheWindows) {
  const TokenStream tokens = TokenStream::from_ids(ids);
  for (const ScoreOptions options : {ScoreOptions{}, ScoreOptions{.stride = 1}, ScoreOptions{.stride = 3, .batch = 2},
                                     ScoreOptions{.window = 5, .batch = 1}, ScoreOptions{.window = 7, .stride = 7}}) {
    const Score result = score(model, tokens, std::nullopt, options, threads);
    const int64_t window = options.window > 0 ? options.window : 8;
    const int64_t stride = options.stride > 0 ? options.stride : window;
    EXPECT_EQ(result.tokens, 30);
    EXPECT_NEAR(result.total_nats, expected_nats(ids, window, stride), 1e-3) << window << " " << stride;
  }
}

TEST_F(Scorer, TheTokenBeforeIsContextForTheFirst) {
  const Score result = score(model, TokenStream::from_ids(ids), 22, {.stride = 2}, threads);
  std::vector<int32_t> with_before = ids;
  with_before.insert(with_before.begin(), 22);
  EXPECT_EQ(result.tokens, 31);
  EXPECT_NEAR(result.total_nats, expected_nats(with_before, 8, 2), 1e-3);
}

TEST_F(Scorer, ShortTextsAreScoredToo) {
  const std::vector<int32_t> two = {3, 4};
  const Score result = score(model, TokenStream::from_ids(two), std::nullopt, {}, threads);
  EXPECT_EQ(result.tokens, 1);
  EXPECT_NEAR(result.total_nats, surprise(model, two, threads), 1e-5);
}

TEST_F(Scorer, ProgressEndsAtTheTotal) {
  int64_t last = 0;
  score(model, TokenStream::from_ids(ids), std::nullopt, {.batch = 1}, threads, [&](int64_t done, int64_t total) {
    EXPECT_GT(done, last);
    EXPECT_EQ(total, 30);
    last = done;
  });
  EXPECT_EQ(last, 30);
}

TEST_F(Scorer, RefusesWhatMakesNoSense) {
  const TokenStream tokens = TokenStream::from_ids(ids);
  const TokenStream one = TokenStream::from_ids({5});
  EXPECT_THROW(score(model, tokens, std::nullopt, {.window = 9}, threads), Error);
  EXPECT_THROW(score(model, tokens, std::nullopt, {.window = -1}, threads), Error);
  EXPECT_THROW(score(model, tokens, std::nullopt, {.window = 4, .stride = 5}, threads), Error);
  EXPECT_THROW(score(model, tokens, std::nullopt, {.batch = 0}, threads), Error);
  EXPECT_THROW(score(model, one, std::nullopt, {}, threads), Error);
  EXPECT_EQ(score(model, one, 0, {}, threads).tokens, 1);
}

TEST(Score, AtInitialisationTheLossIsTheLogarithmOfTheVocabulary) {
  for (const Family family : {Family::gpt2, Family::llama}) {
    for (const int32_t vocabulary : {65, 512}) {
      ThreadPool threads(2);
      LoadedModel model = random_model(32, vocabulary, 0.02, family);
      const TokenStream tokens = TokenStream::from_ids(some_tokens(500, vocabulary));
      const double loss = score(model, tokens, std::nullopt, {}, threads).loss();
      EXPECT_NEAR(loss, std::log(vocabulary), 0.02 * std::log(vocabulary));
    }
  }
}

TEST(Score, DerivesTheUsualFigures) {
  const Score score{.tokens = 4, .bytes = 10, .total_nats = 8};
  EXPECT_DOUBLE_EQ(score.loss(), 2.0);
  EXPECT_DOUBLE_EQ(score.perplexity(), std::exp(2.0));
  EXPECT_DOUBLE_EQ(score.bits_per_byte(), 0.8 / std::numbers::ln2);
}

TEST(ScoreText, CountsTheBytesOfTheScoredText) {
  CharacterTrainer trainer;
  const std::string text = "äbc abc cba äöü";
  trainer.add(text);
  const Tokenizer tokenizer = trainer.train();
  LoadedModel model = random_model(8, tokenizer.vocabulary_size(), 0.02);
  const TemporaryDirectory directory;
  write_file_atomically(directory.path() / "a.txt", text);
  ThreadPool threads(1);
  const Score result = score_text(model, tokenizer, {(directory.path() / "a.txt").string()}, {}, {}, threads);
  EXPECT_EQ(result.tokens, 14);
  EXPECT_EQ(result.bytes, static_cast<int64_t>(text.size()) - 2);
}

TEST(ScoreText, BetweenDocumentsStandsEndOfText) {
  CharacterTrainer trainer;
  trainer.add("abc def");
  const Tokenizer tokenizer = trainer.train({"<|endoftext|>"});
  LoadedModel model = random_model(8, tokenizer.vocabulary_size(), 0.02);
  const TemporaryDirectory directory;
  const std::string path = (directory.path() / "a.jsonl").string();
  write_file_atomically(path, "{\"text\": \"abc\"}\n{\"text\": \"fed\"}\n");
  ThreadPool threads(1);
  const Score result = score_text(model, tokenizer, {path}, {}, {}, threads);
  EXPECT_EQ(result.tokens, 7);
  EXPECT_EQ(result.bytes, 6);
}

}  // namespace
}  // namespace sesame
