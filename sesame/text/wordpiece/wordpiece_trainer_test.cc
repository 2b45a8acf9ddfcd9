#include "sesame/text/wordpiece/wordpiece_trainer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sesame/base/error_of.h"

namespace sesame {
namespace {

using Strings = std::vector<std::string>;

WordCounter count(const std::string& text, const WordPieceTrainerOptions& options, int threads) {
  WordCounterOptions counting;
  counting.threads = threads;
  counting.special_tokens = options.special_tokens;
  WordCounter words(words_of_pipeline(bert_stages(options), "BERT"), "BERT", counting);
  words.add(text);
  return words;
}

Strings train(const std::string& text, int32_t size, int threads = 1) {
  WordPieceTrainerOptions options;
  options.vocabulary_size = size;
  options.min_frequency = 1;
  options.threads = threads;
  Strings tokens;
  const WordCounter words = count(text, options, threads);
  for (const VocabularyEntry& entry : train_wordpiece(words.unordered_counts(), options).vocabulary)
    tokens.push_back(entry.token);
  return tokens;
}

TEST(WordPieceTrainer, PrefixedCharactersComeByTheSortedWords) {
  // Sorted words: "ba", "cab": ##a, then ##b. (c, ##a) and (##a, ##b) and (b, ##a) once each: ids decide.
  EXPECT_EQ(train("cab ba", 12),
            (Strings{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##a", "##b", "ba", "ca"}));
  EXPECT_EQ(train("cab ba", 13).back(), "cab");
}

TEST(WordPieceTrainer, WordsAreNormalizedAndCutAsBertDoes) {
  const Strings tokens = train("Caf\u00E9-caf\u00E9 CAFE", 5 + 5 + 3 + 3);
  EXPECT_EQ(tokens.back(), "cafe");
  EXPECT_EQ(tokens[5], "-");
}

TEST(WordPieceTrainer, GivesBertsPipeline) {
  WordPieceTrainerOptions options;
  options.vocabulary_size = 60;
  options.min_frequency = 1;
  const WordCounter words = count("the quick brown fox jumps over the lazy dog", options, 1);
  const TokenizerSpec spec = train_wordpiece(words.unordered_counts(), options);
  const Tokenizer tokenizer(spec, "trained");
  EncodeOptions special;
  special.add_special = true;
  const std::vector<int32_t> ids = tokenizer.encode("The", special);
  ASSERT_GE(ids.size(), 3u);
  EXPECT_EQ(tokenizer.token(ids.front()), "[CLS]");
  EXPECT_EQ(tokenizer.token(ids.back()), "[SEP]");
  EXPECT_EQ(tokenizer.token(tokenizer.encode("\u0416").at(0)), "[UNK]");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("the lazy dog")), "the lazy dog");
}

TEST(WordPieceTrainer, ThreadsChangeNothing) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += std::to_string(i * 7919 % 5003) + " w" + std::to_string(i % 97) + "x ";
  const Strings one = train(text, 400, 1);
  EXPECT_EQ(train(text, 400, 2), one);
  EXPECT_EQ(train(text, 400, 3), one);
}

TEST(WordPieceTrainer, RefusesWhatCannotBe) {
  WordPieceTrainerOptions options;
  options.unk_token = "<unk>";
  const WordCount word{"a", 1};
  EXPECT_NE(error_of([&] { train_wordpiece({&word, 1}, options); }).find("unk_token"), std::string::npos);
  options.unk_token = "[UNK]";
  options.vocabulary_size = 5;
  EXPECT_NE(error_of([&] { train_wordpiece({&word, 1}, options); }).find("cannot hold"), std::string::npos);
}

}  // namespace
}  // namespace sesame
