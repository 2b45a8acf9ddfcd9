#include "sesame/text/bpe/byte_level_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "sesame/base/test_data.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/bpe/byte_level_stages.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/encode/pipeline_encoder.h"
#include "sesame/text/files/tiktoken_file.h"
#include "sesame/text/files/vocab_and_merges.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

using Ids = std::vector<int32_t>;

/// A text of words, runs, scripts and bytes that are not UTF-8.
std::string hostile_text(std::mt19937& random, size_t parts) {
  static const std::vector<std::string> words = {"the",
                                                 " of",
                                                 " quick",
                                                 "Brown",
                                                 "HTTPServer",
                                                 "'ll",
                                                 "'S",
                                                 "'\u017F",
                                                 " don't",
                                                 "1234567",
                                                 " 3.14",
                                                 "\u00BD",
                                                 "  ",
                                                 "\n",
                                                 "\r\n",
                                                 "\t",
                                                 " \n \n",
                                                 "\u00A0",
                                                 "\u3000",
                                                 "\u2028",
                                                 "!!",
                                                 "--",
                                                 "://",
                                                 "_",
                                                 "caf\u00E9",
                                                 "e\u0301",
                                                 "\u1100\u1161",
                                                 "\uAC00\u11A8",
                                                 "\u0915\u094D",
                                                 "\u4E2D\u6587\u5206\u8BCD",
                                                 "\u65E5\u672C\u8A9E\u306E",
                                                 "\u304B\u3099",
                                                 "\u0416\u0438\u0432",
                                                 "\U0001F636\u200D\U0001F32B\uFE0F",
                                                 "\u1F77",
                                                 "\uF900",
                                                 "\u0344",
                                                 "\xFF",
                                                 "\xE6\x97",
                                                 "\xC0\xAF",
                                                 "\xED\xA0\x80",
                                                 "\xF0\x9F",
                                                 std::string(1, '\0'),
                                                 "antidisestablishmentarianism",
                                                 "pneumonoultramicroscopicsilicovolcanoconiosis"};
  std::string text;
  for (size_t i = 0; i < parts; ++i) {
    const std::string& word = words[random() % words.size()];
    const size_t times = random() % 16 == 0 ? 1 + random() % 80 : 1;
    for (size_t k = 0; k < times; ++k) text += word;
    if (random() % 3 == 0) text += ' ';
    if (random() % 4 == 0) text += static_cast<char>('a' + random() % 26);
  }
  return text;
}

Ids encode(const TextEncoder& encoder, std::string_view text, StretchStart start = StretchStart::text) {
  const auto state = encoder.make_state();
  IdBuffer ids;
  encoder.encode(text, start, *state, ids);
  return {ids.ids().begin(), ids.ids().end()};
}

/// Every byte and the merges of a few words.
TokenizerSpec small_spec(SplitPattern pattern) {
  TokenizerSpec spec;
  model::Bpe bpe;
  for (int b = 0; b < 256; ++b) spec.vocabulary.push_back({spell_bytes(std::string(1, static_cast<char>(b))), b});
  const auto id = [&](const std::string& token) {
    for (const VocabularyEntry& entry : spec.vocabulary) {
      if (entry.token == token) return entry.id;
    }
    spec.vocabulary.push_back({token, static_cast<int32_t>(spec.vocabulary.size())});
    return spec.vocabulary.back().id;
  };
  for (const std::string word :
       {" the", "the", " of", "server", "\u4E2D\u6587", "aaaa", "aaa", "!!!!!!!!", " don", "an"}) {
    std::string left = spell_bytes(word.substr(0, 1));
    for (size_t i = 1; i < word.size(); ++i) {
      const std::string right = spell_bytes(word.substr(i, 1));
      bpe.merges.push_back({id(left), id(right)});
      left += right;
      id(left);
    }
  }
  spec.model = std::move(bpe);
  set_byte_level_stages(spec, pattern);
  return spec;
}

void expect_as_pipeline(const TokenizerSpec& spec, int texts, uint32_t seed) {
  const auto fused = make_byte_level_encoder(spec, "test");
  ASSERT_NE(fused, nullptr);
  const auto pipeline = make_pipeline_encoder(spec, "test");
  const auto state = fused->make_state();
  std::mt19937 random(seed);
  for (int i = 0; i < texts; ++i) {
    const std::string text = hostile_text(random, 1 + random() % 40);
    const Ids expected = encode(*pipeline, text);
    ASSERT_EQ(encode(*fused, text), expected) << text;
    IdBuffer ids;
    fused->encode(text, StretchStart::text, *state, ids);  // with what earlier texts left in the cache
    ASSERT_EQ(Ids(ids.ids().begin(), ids.ids().end()), expected) << text;
    const size_t cut = text.empty() ? 0 : fused->next_cut(text, 1 + random() % text.size());
    ids.clear();
    fused->encode(text.substr(0, cut), StretchStart::text, *state, ids);
    if (cut < text.size()) fused->encode(text.substr(cut), StretchStart::none, *state, ids);
    ASSERT_EQ(Ids(ids.ids().begin(), ids.ids().end()), expected) << text << " cut at " << cut;
  }
}

constexpr SplitPattern all_patterns[] = {SplitPattern::gpt2, SplitPattern::cl100k, SplitPattern::cl100k_tiktoken,
                                         SplitPattern::qwen2, SplitPattern::o200k};

TEST(ByteLevelEncoder, GivesThePipelinesIds) {
  for (const SplitPattern pattern : all_patterns) {
    TokenizerSpec spec = small_spec(pattern);
    expect_as_pipeline(spec, 60, 1);
    std::get<model::Bpe>(spec.model).ignore_merges = true;
    spec.normalizers.emplace_back(normalizer::Unicode{UnicodeForm::nfc});
    expect_as_pipeline(spec, 60, 2);
  }
}

TEST(ByteLevelEncoder, PrefixSpaceAndNoSplitAndSeveralSplits) {
  TokenizerSpec spec = small_spec(SplitPattern::gpt2);
  std::get<pre_tokenizer::ByteLevel>(spec.pre_tokenizers.back()).add_prefix_space = true;
  expect_as_pipeline(spec, 60, 3);
  std::get<pre_tokenizer::ByteLevel>(spec.pre_tokenizers.back()) = {false, true, false};
  expect_as_pipeline(spec, 60, 4);
  for (const char* regex : {R"(\p{N}{1,3})", "[\u4E00-\u9FA5]+", R"( ?\p{L}+)"}) {
    pre_tokenizer::Split split;
    split.pattern = {regex, true};
    spec.pre_tokenizers.insert(spec.pre_tokenizers.end() - 1, split);
  }
  expect_as_pipeline(spec, 60, 5);
}

TEST(ByteLevelEncoder, TokensThatMergesDoNotMakeAreWholePiecesOnly) {
  TokenizerSpec spec = small_spec(SplitPattern::cl100k);
  std::get<model::Bpe>(spec.model).ignore_merges = true;
  const auto add = [&](const char* bytes) {
    spec.vocabulary.push_back({spell_bytes(bytes), static_cast<int32_t>(spec.vocabulary.size())});
    return spec.vocabulary.back().id;
  };
  const int32_t word = add("\u5206\u8BCD");
  add("HTTP");
  const auto fused = make_byte_level_encoder(spec, "test");
  EXPECT_EQ(encode(*fused, "\u5206\u8BCD"), (Ids{word}));
  // Merges make \u4E2D\u6587, and nothing across its ends, so that the rest is cut off there.
  for (const std::string text :
       {"\u4E2D\u6587\u5206\u8BCD", "\u5206\u8BCD\u4E2D\u6587", "\u4E2D\u6587\u5206\u8BCD\u4E2D\u6587 "}) {
    const Ids ids = encode(*fused, text);
    EXPECT_EQ(std::count(ids.begin(), ids.end(), word), 0) << text;
  }
  expect_as_pipeline(spec, 60, 8);
}

TEST(ByteLevelEncoder, LeavesOtherFamiliesAlone) {
  TokenizerSpec spec = small_spec(SplitPattern::cl100k);
  EXPECT_NE(make_byte_level_encoder(spec, "test"), nullptr);
  TokenizerSpec other = spec;
  std::get<model::Bpe>(other.model).end_of_word_suffix = "</w>";
  EXPECT_EQ(make_byte_level_encoder(other, "test"), nullptr);
  other = spec;
  other.normalizers.emplace_back(normalizer::Lowercase{});
  EXPECT_EQ(make_byte_level_encoder(other, "test"), nullptr);
  other = spec;
  std::get<pre_tokenizer::Split>(other.pre_tokenizers[0]).behavior = pre_tokenizer::Behavior::removed;
  EXPECT_EQ(make_byte_level_encoder(other, "test"), nullptr);
  other = spec;
  other.vocabulary.erase(other.vocabulary.begin());
  std::get<model::Bpe>(other.model).merges.clear();
  EXPECT_EQ(make_byte_level_encoder(other, "test"), nullptr);
}

TEST(ByteLevelEncoder, GivesThePipelinesIdsWithPublishedVocabularies) {
  if (const auto vocab = shared_data("tokenizers/gpt2/vocab.json")) {
    const auto merges = vocab->parent_path() / "merges.txt";
    expect_as_pipeline(read_vocab_and_merges(*vocab, merges, SplitPattern::gpt2, {"<|endoftext|>"}), 40, 6);
  }
  if (const auto ranks = shared_data("tokenizers/tiktoken/cl100k_base.tiktoken")) {
    expect_as_pipeline(read_tiktoken(*ranks, {"", SplitPattern::cl100k_tiktoken, {}}), 40, 7);
  }
}

}  // namespace
}  // namespace sesame
