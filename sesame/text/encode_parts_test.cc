#include <gtest/gtest.h>

#include <random>

#include "sesame/base/error_of.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/stream_encoder.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {
namespace {

/// Prose of made-up words with everything that might be cut wrongly in between.
std::string make_text(size_t bytes, uint32_t seed) {
  static constexpr std::string_view kParts[] = {"the",
                                                "Quick",
                                                " ",
                                                " ",
                                                " ",
                                                "  ",
                                                "\n",
                                                "\n\n",
                                                "'s",
                                                "'ll",
                                                "42",
                                                "1999",
                                                ",",
                                                "...",
                                                "\xC3\xA9t\xC3\xA9",
                                                "\t",
                                                "fox's",
                                                " a",
                                                " of",
                                                "-",
                                                "\xE4\xB8\xAD\xE6\x96\x87",
                                                "\r\n",
                                                "<|end|>",
                                                "\xFF",
                                                "<|endoftext|>",
                                                "<|endof",
                                                " <|endoftext|> "};
  std::mt19937 random(seed);
  std::string text;
  while (text.size() < bytes) text += kParts[random() % std::size(kParts)];
  return text;
}

Tokenizer tokenizer() {
  WordCounter words(SplitPattern::gpt2);
  words.add(make_text(20000, 1));
  BpeTrainerOptions options;
  options.vocabulary_size = 400;
  return train_byte_level_bpe(words, options);
}

TEST(EncodeOnThreads, GivesTheIdsOfOneThread) {
  const Tokenizer t = tokenizer();
  ThreadPool threads(3);
  const std::string text = make_text(2'000'000, 2);
  for (const bool special : {false, true}) {
    EncodeOptions options;
    options.parse_special = special;
    const std::vector<int32_t> expected = t.encode(text, options);
    EXPECT_EQ(t.encode(text, options, threads), expected);
    IdBuffer ids;
    ids.push(-1);
    t.encode_append(text, options, threads, ids);
    EXPECT_EQ(std::vector<int32_t>(ids.ids().begin() + 1, ids.ids().end()), expected);
    EXPECT_EQ(t.count(text, options), t.encode(text, options).size());
  }
}

TEST(EncodeOnThreads, ABatchHoldsTheIdsOfEachText) {
  const Tokenizer t = tokenizer();
  ThreadPool threads(2);
  std::vector<std::string> texts = {"", "a", make_text(700'000, 3), "", make_text(100, 4)};
  for (uint32_t i = 0; i < 300; ++i) texts.push_back(make_text(1000, 5 + i));
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  const Tokenizer::Batch batch = t.encode_batch(views, {}, threads);
  ASSERT_EQ(batch.ends.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::span<const int32_t> ids = batch[i];
    EXPECT_EQ(std::vector<int32_t>(ids.begin(), ids.end()), t.encode(texts[i])) << i;
  }
}

TEST(EncodeOnThreads, WhatOneThreadRefusesIsRefused) {
  const Tokenizer t = tokenizer();
  ThreadPool threads(2);
  EncodeOptions options;
  options.special = SpecialText::refuse;
  const std::string text = make_text(1'000'000, 6);
  EXPECT_NE(error_of([&] { (void)t.encode(text, options, threads); }).find("<|endoftext|>"), std::string::npos);
  options.allowed_special = {"<|endoftext|>"};
  EXPECT_EQ(t.encode(text, options, threads), t.encode(text, {.parse_special = true}));
}

TEST(StreamEncoder, GivesTheIdsOfTheWholeHoweverItIsCut) {
  const Tokenizer t = tokenizer();
  const std::string text = make_text(600'000, 7);
  for (const bool special : {false, true}) {
    EncodeOptions options;
    options.parse_special = special;
    const std::vector<int32_t> expected = t.encode(text, options);
    std::mt19937 random(8);
    for (const size_t most : {size_t{1} << 20, size_t{5000}, size_t{37}}) {
      StreamEncoder stream(t, options);
      std::vector<int32_t> ids;
      for (size_t at = 0; at < text.size();) {
        const size_t bytes = std::min(text.size() - at, 1 + random() % most);
        stream.push(std::string_view(text).substr(at, bytes), ids);
        at += bytes;
      }
      EXPECT_GT(ids.size(), expected.size() / 2) << "ids come before the end";
      stream.finish(ids);
      EXPECT_EQ(ids, expected);
    }
  }
}

TEST(StreamEncoder, ThreadsGiveTheIdsOfOne) {
  const Tokenizer t = tokenizer();
  ThreadPool threads(2);
  const std::string text = make_text(20'000'000, 9);
  StreamEncoder stream(t, {.parse_special = true}, &threads);
  std::vector<int32_t> ids;
  for (size_t at = 0; at < text.size(); at += 3'000'000) stream.push(std::string_view(text).substr(at, 3'000'000), ids);
  stream.finish(ids);
  EXPECT_EQ(ids, t.encode(text, {.parse_special = true}));
}

TEST(StreamEncoder, BeginsAnewAfterTheEnd) {
  const Tokenizer t = tokenizer();
  StreamEncoder stream(t);
  std::vector<int32_t> ids;
  stream.push("the fox", ids);
  stream.finish(ids);
  stream.push("the fox", ids);
  stream.finish(ids);
  std::vector<int32_t> expected = t.encode("the fox");
  expected.insert(expected.end(), expected.begin(), expected.begin() + static_cast<ptrdiff_t>(expected.size()));
  EXPECT_EQ(ids, expected);
}

TEST(StreamEncoder, TextWithoutAPlaceToCutIsKeptAndRight) {
  const Tokenizer t = tokenizer();
  const std::string text(300'000, 'x');
  StreamEncoder stream(t);
  std::vector<int32_t> ids;
  for (size_t at = 0; at < text.size(); at += 1000) stream.push(std::string_view(text).substr(at, 1000), ids);
  stream.finish(ids);
  EXPECT_EQ(ids, t.encode(text));
}

}  // namespace
}  // namespace sesame
