#include "sesame/text/bpe/marked_bpe_encoder.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/encode/make_encoder.h"

namespace sesame {
namespace {

normalizer::Replace replace_all(std::string_view text, std::string_view content) {
  normalizer::Replace step;
  step.pattern.text = text;
  step.content = content;
  return step;
}

using Ids = std::vector<int32_t>;

Ids encode(const TextEncoder& encoder, TextEncoder::State& state, std::string_view text, StretchStart start) {
  IdBuffer ids;
  encoder.encode(text, start, state, ids);
  return {ids.ids().begin(), ids.ids().end()};
}

std::string random_text(std::mt19937& random) {
  static const std::vector<std::string> parts = {" ",        "  ",
                                                 "\u2581",   "a",
                                                 "b",        "ab",
                                                 "th",       "the",
                                                 ">",        "</",
                                                 "\n",       "\u4E2D",
                                                 "\u6587",   "\u5206",
                                                 "\u00E9",   "\U0001F636",
                                                 "\xFF",     "\xE2",
                                                 "\xE2\x96", "\x81",
                                                 "\xE4\xB8", "antidisestablishment",
                                                 "0"};
  std::string text;
  for (size_t i = random() % 20; i > 0; --i) {
    const std::string& part = parts[random() % parts.size()];
    for (size_t k = random() % 20 == 0 ? 30 : 1; k > 0; --k) text += part;
  }
  return text;
}

/// Byte tokens, a few characters and merges; one token holds a space inside.
TokenizerSpec small_spec() {
  TokenizerSpec spec;
  model::Bpe bpe;
  bpe.unk_token = "<unk>";
  bpe.fuse_unk = true;
  bpe.byte_fallback = true;
  spec.vocabulary.push_back({"<unk>", 0});
  for (int b = 0; b < 256; ++b) spec.vocabulary.push_back({byte_token(static_cast<uint8_t>(b)), b + 1});
  const auto id = [&](const std::string& token) {
    for (const VocabularyEntry& entry : spec.vocabulary) {
      if (entry.token == token) return entry.id;
    }
    spec.vocabulary.push_back({token, static_cast<int32_t>(spec.vocabulary.size())});
    return spec.vocabulary.back().id;
  };
  const std::string mark = "\u2581";
  for (const std::vector<std::string>& chain : std::vector<std::vector<std::string>>{{mark, mark},
                                                                                     {mark + mark, mark + mark},
                                                                                     {"t", "h", "e"},
                                                                                     {mark, "the"},
                                                                                     {"a", "b"},
                                                                                     {mark, "a"},
                                                                                     {">", mark, "<", "/"},
                                                                                     {"\u4E2D", "\u6587"},
                                                                                     {mark, "\u4E2D"},
                                                                                     {"a", "n", "t", "i"}}) {
    std::string left = chain[0];
    for (size_t i = 1; i < chain.size(); ++i) {
      bpe.merges.push_back({id(left), id(chain[i])});
      left += chain[i];
      id(left);
    }
  }
  id("\u00E9");
  spec.model = std::move(bpe);
  return spec;
}

void expect_as_pipeline(const TokenizerSpec& spec, int texts) {
  const auto fused = make_marked_bpe_encoder(spec, "test");
  ASSERT_NE(fused, nullptr);
  const auto pipeline = make_pipeline_encoder(spec, "test");
  const auto state = fused->make_state();
  const auto pipeline_state = pipeline->make_state();
  std::mt19937 random(1);
  for (int i = 0; i < texts; ++i) {
    const std::string text = random_text(random);
    for (const StretchStart start : {StretchStart::text, StretchStart::stretch}) {
      const Ids expected = encode(*pipeline, *pipeline_state, text, start);
      ASSERT_EQ(encode(*fused, *state, text, start), expected) << text;
      if (text.empty()) continue;
      const size_t cut = fused->next_cut(text, 1 + random() % text.size());
      Ids parts = encode(*fused, *state, text.substr(0, cut), start);
      const Ids rest = encode(*fused, *state, text.substr(cut), StretchStart::none);
      parts.insert(parts.end(), rest.begin(), rest.end());
      ASSERT_EQ(parts, expected) << text << " cut at " << cut;
    }
  }
}

const normalizer::Step replace_spaces = replace_all(" ", "\u2581");

TEST(MarkedBpeEncoder, GivesThePipelinesIds) {
  TokenizerSpec llama = small_spec();
  llama.normalizers = {normalizer::Prepend{"\u2581"}, replace_spaces};
  expect_as_pipeline(llama, 250);
  TokenizerSpec gemma = small_spec();
  gemma.normalizers = {replace_spaces};
  pre_tokenizer::Split split;
  split.pattern = {" ", false};
  split.behavior = pre_tokenizer::Behavior::merged_with_previous;
  gemma.pre_tokenizers = {split};
  expect_as_pipeline(gemma, 250);
  using pre_tokenizer::PrependScheme;
  for (const PrependScheme scheme : {PrependScheme::always, PrependScheme::first, PrependScheme::never}) {
    TokenizerSpec mistral = small_spec();
    mistral.pre_tokenizers = {pre_tokenizer::Metaspace{"\u2581", scheme, false}};
    expect_as_pipeline(mistral, 250);
  }
}

TEST(MarkedBpeEncoder, LeavesOtherFamiliesAlone) {
  TokenizerSpec spec = small_spec();
  EXPECT_EQ(make_marked_bpe_encoder(spec, "test"), nullptr);  // spaces stay spaces
  spec.normalizers = {replace_spaces};
  EXPECT_NE(make_marked_bpe_encoder(spec, "test"), nullptr);
  TokenizerSpec other = spec;
  std::get<model::Bpe>(other.model).byte_fallback = false;
  EXPECT_EQ(make_marked_bpe_encoder(other, "test"), nullptr);
  other = spec;
  other.vocabulary[10].token = "x";
  EXPECT_EQ(make_marked_bpe_encoder(other, "test"), nullptr);
  other = spec;
  other.pre_tokenizers = {pre_tokenizer::Metaspace{}};
  EXPECT_EQ(make_marked_bpe_encoder(other, "test"), nullptr);
}

}  // namespace
}  // namespace sesame
