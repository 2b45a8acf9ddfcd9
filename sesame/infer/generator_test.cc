#include "sesame/infer/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/base/test_data.h"
#include "sesame/models/gpt.h"
#include "sesame/text/character_tokenizer.h"
#include "sesame/train/convert.h"

namespace sesame {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

const GenerateOptions kGreedy{.max_tokens = 256, .sampling = {.temperature = 0}};

// The text that llama2.c publishes for its 260K model at temperature 0: the first block of expected_greedy.md, without
// the command.
std::string published_text(const fs::path& file) {
  std::string text = read_file(file);
  text.erase(0, text.find("\nOnce upon a time") + 1);
  return text.substr(0, text.find("\n```"));
}

class Stories : public testing::Test {
 protected:
  void SetUp() override {
    const auto directory = shared_data("models/stories260K");
    if (!directory) GTEST_SKIP() << "the shared test data is not here";
    source = *directory;
    convert_llama2c(source / "stories260K.bin", source / "tok512.bin", model);
  }

  Generator generator() { return Generator(load_model(model), Tokenizer::load(model), threads); }

  TemporaryDirectory temporary;
  fs::path model = temporary.path() / "stories";
  fs::path source;
  ThreadPool threads{2};
};

TEST_F(Stories, GreedyTextIsThePublishedOneWordForWord) {
  Generator stories = generator();
  std::string streamed;
  const Generation result = stories.generate("", kGreedy, [&](std::string_view piece) {
    streamed += piece;
    return true;
  });
  const std::string expected = published_text(source / "expected_greedy.md");
  ASSERT_GT(expected.size(), 500u);
  // The publisher counted the first token among its 256 steps, so ours is longer by a little.
  EXPECT_THAT(result.text, StartsWith(expected));
  EXPECT_LT(result.text.size(), expected.size() + 20);
  EXPECT_EQ(streamed, result.text);
  EXPECT_EQ(result.prompt_tokens, 1);
}

TEST_F(Stories, APromptIsContinuedAsIfItHadBeenGenerated) {
  Generator stories = generator();
  const Generation whole = stories.generate("", kGreedy);
  const std::string prompt = whole.text.substr(0, whole.text.find(" She loved"));
  const Generation rest = stories.generate(prompt, {.max_tokens = 60, .sampling = {.temperature = 0}});
  EXPECT_GT(rest.prompt_tokens, 10);
  EXPECT_THAT(whole.text, StartsWith(prompt + rest.text));
  EXPECT_THAT(rest.text, StartsWith(" She loved"));
}

TEST_F(Stories, LongPromptsInChunksGiveWhatSingleTokensGive) {
  Generator stories = generator();
  const Generation whole = stories.generate("", kGreedy);
  // 200 tokens of its own text: three chunks of prompt.
  std::vector<int32_t> prompt = {1};
  prompt.insert(prompt.end(), whole.tokens.begin(), whole.tokens.begin() + 199);
  const Generation rest = stories.generate_from_ids(prompt, {.max_tokens = 40, .sampling = {.temperature = 0}});
  EXPECT_TRUE(std::equal(rest.tokens.begin(), rest.tokens.end(), whole.tokens.begin() + 199));
}

TEST_F(Stories, SamplesDependOnSeedAndNumberAlone) {
  Generator stories = generator();
  const auto text = [&](uint64_t seed, uint64_t sample) {
    return stories.generate("One day", {.max_tokens = 40, .seed = seed, .sample = sample}).text;
  };
  const std::string first = text(1, 0);
  const std::string second = text(1, 1);
  EXPECT_NE(first, second);
  EXPECT_NE(first, text(2, 0));
  EXPECT_EQ(first, text(1, 0));
  ThreadPool one(1);
  Generator single(load_model(model), Tokenizer::load(model), one);
  EXPECT_EQ(single.generate("One day", {.max_tokens = 40, .seed = 1, .sample = 1}).text, second);
}

TEST_F(Stories, StopStringsEndTheTextBeforeThem) {
  Generator stories = generator();
  GenerateOptions options = kGreedy;
  options.stop = {"loved to", "nothing like it"};
  std::string streamed;
  const Generation result = stories.generate("", options, [&](std::string_view piece) {
    streamed += piece;
    return true;
  });
  EXPECT_EQ(result.reason, StopReason::stop_string);
  EXPECT_EQ(result.text, "Once upon a time, there was a little girl named Lily. She ");
  EXPECT_EQ(streamed, result.text);
}

TEST_F(Stories, TheCallbackCanEndIt) {
  Generator stories = generator();
  int pieces = 0;
  const Generation result = stories.generate("", kGreedy, [&](std::string_view) { return ++pieces < 3; });
  EXPECT_EQ(result.reason, StopReason::callback);
  EXPECT_EQ(pieces, 3);
}

TEST_F(Stories, GenerationGoesOnBeyondTheContext) {
  Generator stories = generator();
  GenerateOptions options = kGreedy;
  options.max_tokens = 1200;  // the context is 512
  options.ignore_end = true;
  const std::string prompt = "One day, a cat and a dog met a big red ball in the park.";
  const Generation result = stories.generate(prompt, options);
  EXPECT_EQ(result.tokens.size(), 1200u);
  EXPECT_EQ(result.reason, StopReason::max_tokens);
  // The prompt's rows of the cache have been overwritten since.
  EXPECT_EQ(stories.generate(prompt, options).tokens, result.tokens);
}

TEST_F(Stories, OfAPromptLongerThanTheContextTheEndIsKept) {
  Generator stories = generator();
  std::string prompt;
  for (int i = 0; i < 200; ++i) prompt += "The cat sat on the mat. ";
  const Generation result = stories.generate(prompt, {.max_tokens = 5, .sampling = {.temperature = 0}});
  EXPECT_GT(result.prompt_tokens, 512);
  EXPECT_EQ(result.prompt_dropped, result.prompt_tokens - 511);
  EXPECT_EQ(result.tokens.size(), 5u);
}

TEST_F(Stories, ConvertingOntoSomethingIsRefused) {
  EXPECT_THROW(convert_llama2c(source / "stories260K.bin", source / "tok512.bin", model), Error);
  EXPECT_NO_THROW(load_model(model));
}

TEST_F(Stories, ABrokenCheckpointIsRefusedAndNothingIsWritten) {
  const std::string bytes = read_file(source / "stories260K.bin");
  const fs::path broken = temporary.path() / "broken.bin";
  const fs::path out = temporary.path() / "out";
  const auto refusal = [&](const std::string& content) -> std::string {
    write_file_atomically(broken, content);
    try {
      convert_llama2c(broken, source / "tok512.bin", out);
    } catch (const Error& error) {
      EXPECT_FALSE(fs::exists(out));
      return error.what();
    }
    return "accepted";
  };
  for (size_t size = 0; size < 28; ++size)
    EXPECT_THAT(refusal(bytes.substr(0, size)), HasSubstr("begins with a header"));
  EXPECT_THAT(refusal(bytes.substr(0, bytes.size() - 1)), HasSubstr("its header"));
  EXPECT_THAT(refusal(bytes + "x"), HasSubstr("its header"));
  for (size_t field = 0; field < 7; ++field) {
    for (const char* value : {"\x00\x00\x00\x00", "\xff\xff\xff\x7f", "\x00\x00\x00\x80", "\x07\x00\x00\x00"}) {
      std::string changed = bytes;
      changed.replace(4 * field, 4, value, 4);
      EXPECT_NE(refusal(changed), "accepted") << field;
    }
  }
  EXPECT_THAT(refusal("24ka" + bytes.substr(4)), HasSubstr("version"));
}

// A character model of random weights: what it says does not matter, only how.
class RandomModel : public testing::Test {
 protected:
  static Tokenizer characters() {
    CharacterTrainer trainer;
    trainer.add("abcdefg äöü 你好世界");
    return trainer.train();
  }

  static LoadedModel random_model(int64_t context, int32_t vocabulary) {
    LoadedModel model;
    model.config = default_config(Family::gpt2);
    model.config.vocab_size = vocabulary;
    model.config.context = context;
    model.config.width = 16;
    model.config.layers = 1;
    model.config.heads = 2;
    model.config = resolved(model.config, "test");
    const std::vector<Parameter> parameters = gpt_parameters(model.config);
    create_parameters(model.variables, parameters);
    for (const Parameter& parameter : parameters) {
      const Tensor tensor = model.variables.get(parameter.name);
      initialise(parameter, 3, {tensor.as<float>(), static_cast<size_t>(tensor.elements())});
    }
    return model;
  }

  ThreadPool threads{1};
};

TEST_F(RandomModel, SpeaksWholeCharacters) {
  const Tokenizer tokenizer = characters();
  Generator generator(random_model(16, tokenizer.vocabulary_size()), tokenizer, threads);
  const Generation result = generator.generate("a", {.max_tokens = 100}, [](std::string_view piece) {
    const auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
    EXPECT_FALSE(is_continuation(piece.front()));
    return true;
  });
  EXPECT_EQ(result.tokens.size(), 100u);
}

TEST_F(RandomModel, ContextsOfEverySmallSizeWork) {
  const Tokenizer tokenizer = characters();
  for (const int64_t context : {1, 2, 3, 65, 100}) {
    Generator generator(random_model(context, tokenizer.vocabulary_size()), tokenizer, threads);
    const Generation result = generator.generate("abcdefg abcdefg", {.max_tokens = 150});
    EXPECT_EQ(result.tokens.size(), 150u) << context;
    EXPECT_EQ(result.prompt_dropped, std::max<int64_t>(0, 15 - std::max<int64_t>(1, context - 1))) << context;
  }
}

TEST_F(RandomModel, NeverDrawsIdsThatTheTokenizerLacks) {
  const Tokenizer tokenizer = characters();
  Generator generator(random_model(16, 500), tokenizer, threads);
  const Generation result = generator.generate("a", {.max_tokens = 200});
  for (const int32_t id : result.tokens) EXPECT_LT(id, tokenizer.vocabulary_size());
}

TEST_F(RandomModel, AnEmptyPromptNeedsATokenToBeginWith) {
  const Tokenizer tokenizer = characters();
  Generator generator(random_model(16, tokenizer.vocabulary_size()), tokenizer, threads);
  EXPECT_THROW(generator.generate("", {}), Error);
}

TEST_F(RandomModel, ATokenizerWithMoreTokensThanTheModelIsRefused) {
  EXPECT_THROW(Generator(random_model(16, 5), characters(), threads), Error);
}

TEST_F(RandomModel, IdsOutsideTheVocabularyAreRefused) {
  const Tokenizer tokenizer = characters();
  Generator generator(random_model(16, tokenizer.vocabulary_size()), tokenizer, threads);
  EXPECT_THROW(generator.generate_from_ids(std::vector<int32_t>{-1}, {}), Error);
  EXPECT_THROW(generator.generate_from_ids(std::vector<int32_t>{tokenizer.vocabulary_size()}, {}), Error);
  EXPECT_THROW(generator.generate_from_ids({}, {}), Error);
}

}  // namespace
}  // namespace sesame
