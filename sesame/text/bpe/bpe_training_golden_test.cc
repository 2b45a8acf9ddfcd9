// What Hugging Face's trainer, rustbpe and SentencePiece learn from texts full of ties and runs
// (tests/golden/generate_bpe_training.py).

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/character_bpe_trainer.h"
#include "sesame/text/bpe/sentencepiece_bpe_trainer.h"

namespace sesame {
namespace {

using nlohmann::json;
using Strings = std::vector<std::string>;
using Merges = std::vector<Strings>;

json golden(const char* part) {
  std::ifstream file("tests/golden/bpe_training.json");
  return json::parse(file).at(part);
}

int64_t option(const json& run, const char* name, int64_t otherwise) {
  return run.at("options").value(name, otherwise);
}

template <typename Options>
void set_options(const json& run, Options& options) {
  options.vocabulary_size = run.at("size");
  options.min_frequency = option(run, "min_frequency", 0);
  if (const int64_t length = option(run, "max_token_length", 0); length > 0) {
    options.max_token_length = static_cast<uint64_t>(length);
  }
}

Merges spelled(const TrainedBpe& trained, bool as_bytes) {
  const auto spell = [&](int32_t id) {
    const std::string& token = trained.tokens[static_cast<size_t>(id)];
    return as_bytes ? spell_bytes(token) : token;
  };
  Merges merges;
  for (const model::Merge& merge : trained.merges) merges.push_back({spell(merge.left), spell(merge.right)});
  return merges;
}

TEST(BpeTrainingGolden, HuggingFaceByteLevel) {
  for (const json& run : golden("byte_level")) {
    WordCounter words(SplitPattern::gpt2, {"<|endoftext|>"}, 2);
    words.add(run.at("text").get<std::string>());
    BpeTrainerOptions options;
    set_options(run, options);
    const TrainedBpe trained = learn_byte_level_bpe(words.unordered_counts(), words.special_tokens(), options);
    EXPECT_EQ(spelled(trained, true), run.at("merges").get<Merges>());
    Strings tokens{trained.tokens[0]};
    for (size_t id = 1; id < trained.tokens.size(); ++id) tokens.push_back(spell_bytes(trained.tokens[id]));
    EXPECT_EQ(tokens, run.at("vocabulary").get<Strings>());
  }
}

WordSplit white_space() {
  return [](std::string_view text, FunctionRef<void(std::string_view)> emit) {
    while (!text.empty()) {
      const size_t end = std::min(text.find_first_of(" \n"), text.size());
      emit(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  };
}

TEST(BpeTrainingGolden, HuggingFaceCharacters) {
  for (const json& run : golden("characters")) {
    WordCounter words(white_space(), "white space", {});
    words.add(run.at("text").get<std::string>());
    CharacterBpeOptions options;
    set_options(run, options);
    options.special_tokens = run.at("special_tokens").get<Strings>();
    const TrainedBpe trained = learn_character_bpe(words.unordered_counts(), options);
    EXPECT_EQ(trained.tokens, run.at("vocabulary").get<Strings>());
    EXPECT_EQ(spelled(trained, false), run.at("merges").get<Merges>());
  }
}

TEST(BpeTrainingGolden, Rustbpe) {
  for (const json& run : golden("rustbpe")) {
    WordCounter words(SplitPattern::gpt2, {}, 1);
    words.add(run.at("text").get<std::string>());
    BpeTrainerOptions options;
    options.vocabulary_size = run.at("size");
    options.min_frequency = 1;
    options.ids = BpeIds::tiktoken;
    options.one_id_per_token = false;
    const TrainedBpe trained = learn_byte_level_bpe(words.unordered_counts(), {}, options);
    Strings tokens;
    for (size_t id = 256; id < trained.tokens.size(); ++id) {
      std::string hex;
      for (const char c : trained.tokens[id]) {
        constexpr const char* digits = "0123456789abcdef";
        hex += digits[static_cast<uint8_t>(c) / 16];
        hex += digits[static_cast<uint8_t>(c) % 16];
      }
      tokens.push_back(hex);
    }
    EXPECT_EQ(tokens, run.at("tokens").get<Strings>());
  }
}

TEST(BpeTrainingGolden, SentencePiece) {
  for (const json& run : golden("sentencepiece")) {
    UnigramTrainerOptions options;
    options.vocab_size = run.at("size");
    const json& given = run.at("options");
    options.byte_fallback = given.value("byte_fallback", false);
    options.split_by_whitespace = given.value("split_by_whitespace", true);
    options.character_coverage = given.value("character_coverage", 0.9995f);
    SentencePieceBpeTrainer trainer(options);
    trainer.add_lines(run.at("text").get<std::string>());
    const TokenizerSpec spec = trainer.train();
    Strings pieces;
    for (const VocabularyEntry& entry : spec.vocabulary) pieces.push_back(entry.token);
    EXPECT_EQ(pieces, run.at("pieces").get<Strings>());
    EXPECT_EQ(std::get<model::SentencePiece>(spec.model).scores, run.at("scores").get<std::vector<float>>());
  }
}

}  // namespace
}  // namespace sesame
