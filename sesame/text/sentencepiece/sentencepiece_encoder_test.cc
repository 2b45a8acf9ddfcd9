#include "sesame/text/sentencepiece/sentencepiece_encoder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "sesame/base/file.h"
#include "sesame/base/test_data.h"
#include "sesame/text/bpe/byte_alphabet.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/files/tokenizer_json.h"
#include "sesame/text/sentencepiece/bpe_segmenter.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/sentencepiece/piece_vocabulary.h"

namespace sesame {
namespace {

struct Draw {
  uint64_t state = 99;
  uint64_t operator()(uint64_t below) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % below;
  }
};

std::string random_text(Draw& draw, size_t size) {
  static constexpr std::array parts = {std::string_view("e"),
                                       std::string_view("the"),
                                       std::string_view("ing"),
                                       std::string_view("o"),
                                       std::string_view("T"),
                                       std::string_view(" "),
                                       std::string_view("  "),
                                       std::string_view(" "),
                                       std::string_view("7"),
                                       std::string_view("00"),
                                       std::string_view("."),
                                       std::string_view("'"),
                                       std::string_view("\n"),
                                       std::string_view("\t"),
                                       std::string_view("\xE2\x96\x81"),
                                       std::string_view("\xC3\xA9"),
                                       std::string_view("\xE7\x9A\x84\xE4\xB8\x80"),
                                       std::string_view("\xF0\x9F\x98\x80"),
                                       std::string_view("\xCC\x81"),
                                       std::string_view("\xE3\x80\x80"),
                                       std::string_view("\xFF"),
                                       std::string_view("\xE2\x96"),
                                       std::string_view("\xEF\xAC\x81"),
                                       std::string_view("\xE3\x81\x82"),
                                       std::string_view("<s>"),
                                       std::string_view("\0", 1)};
  std::string text;
  while (text.size() < size) {
    const std::string_view part = parts[draw(parts.size())];
    for (uint64_t times = draw(8) == 0 ? 1 + draw(5) : 1; times > 0; --times) text += part;
  }
  return text;
}

std::vector<int32_t> encode(const TextEncoder& encoder, TextEncoder::State& state, std::string_view text,
                            StretchStart start = StretchStart::text) {
  IdBuffer ids;
  encoder.encode(text, start, state, ids);
  return {ids.ids().begin(), ids.ids().end()};
}

void expect_as_plain(const TokenizerSpec& spec, std::string_view name) {
  const auto fused = make_text_encoder(spec, name);
  const auto plain = make_pipeline_encoder(spec, name);
  const auto fused_state = fused->make_state();
  const auto plain_state = plain->make_state();
  Draw draw;
  for (int round = 0; round < 120; ++round) {
    const std::string text = random_text(draw, draw(round % 10 == 0 ? 3000 : 60));
    const std::vector<int32_t> ids = encode(*plain, *plain_state, text);
    ASSERT_EQ(encode(*fused, *fused_state, text), ids) << name << ": " << text;
    // In two parts, where the encoder allows it.
    const size_t cut = text.empty() ? 0 : fused->next_cut(text, 1 + draw(text.size()));
    if (cut == 0 || cut >= text.size()) continue;
    std::vector<int32_t> parts = encode(*fused, *fused_state, text.substr(0, cut));
    const std::vector<int32_t> rest = encode(*fused, *fused_state, text.substr(cut), StretchStart::none);
    parts.insert(parts.end(), rest.begin(), rest.end());
    ASSERT_EQ(parts, ids) << name << ", cut at " << cut << ": " << text;
  }
}

TEST(SentencePieceEncoder, GivesThePlainEncodersIds) {
  for (const char* const name : {"llama2", "mistral01", "nai-t5", "xlnet_base_cased", "test_ja_model", "test_model"}) {
    const auto path = shared_data(std::string("tokenizers/sentencepiece/") + name + ".model");
    if (!path) GTEST_SKIP() << "no shared data";
    expect_as_plain(read_sentencepiece_model(read_file(*path, 1 << 24), name), name);
  }
}

/// Caches hold ids in 16 bits where all fit: here some do not.
TEST(SentencePieceEncoder, LargeVocabulariesGiveThePlainEncodersIds) {
  for (const char* const name : {"nai-t5", "llama2"}) {
    const auto path = shared_data(std::string("tokenizers/sentencepiece/") + name + ".model");
    if (!path) GTEST_SKIP() << "no shared data";
    TokenizerSpec spec = read_sentencepiece_model(read_file(*path, 1 << 24), name);
    auto& model = std::get<model::SentencePiece>(spec.model);
    const float best = *std::max_element(model.scores.begin() + 300, model.scores.end());
    const auto add = [&](const std::string& piece, float score) {
      const auto is_same = [&](const VocabularyEntry& entry) { return entry.token == piece; };
      if (score > best - 10 && std::any_of(spec.vocabulary.begin(), spec.vocabulary.end(), is_same)) return;
      spec.vocabulary.push_back({piece, static_cast<int32_t>(spec.vocabulary.size())});
      model.types.push_back(model::PieceType::normal);
      model.scores.push_back(score);
    };
    while (spec.vocabulary.size() < 66000) add("Q" + std::to_string(spec.vocabulary.size()) + "Q", best - 30);
    for (const char* const piece :
         {"theing", "eT", "\xE2\x96\x81oe", "\xE7\x9A\x84\xE4\xB8\x80", "\xC3\xA9\xC3\xA9", "7.", "\xE3\x81\x82"}) {
      add(piece, best - 5);
    }
    expect_as_plain(spec, name);
  }
}

/// T5's and Llama-2's pipelines as transformers converts them.
TEST(SentencePieceEncoder, HuggingFaceFormsGiveThePipelinesIds) {
  for (const char* const name : {"nai-t5", "test_model", "llama2"}) {
    const auto path = shared_data(std::string("tokenizers/sentencepiece/") + name + ".model");
    if (!path) GTEST_SKIP() << "no shared data";
    const TokenizerSpec spec = read_sentencepiece_model(read_file(*path, 1 << 24), name);
    expect_as_plain(parse_tokenizer_json(format_tokenizer_json(spec), name), name);
  }
}

/// Sums of scores are floats that are set back at 100000: a long text must be one text.
TEST(SentencePieceEncoder, LongTextsAddUpTheSameSums) {
  const auto path = shared_data("tokenizers/sentencepiece/test_model.model");
  if (!path) GTEST_SKIP() << "no shared data";
  const TokenizerSpec spec = read_sentencepiece_model(read_file(*path, 1 << 24), "model");
  const auto fused = make_text_encoder(spec, "model");
  const auto plain = make_pipeline_encoder(spec, "model");
  const auto fused_state = fused->make_state();
  const auto plain_state = plain->make_state();
  Draw draw;
  const std::string text = random_text(draw, 300000);
  const std::vector<int32_t> ids = encode(*plain, *plain_state, text);
  EXPECT_EQ(encode(*fused, *fused_state, text), ids);
  EXPECT_EQ(encode(*fused, *fused_state, text), ids);
}

/// What "aaa" is made of is a tie that only the rounding of the sum before it decides.
TokenizerSpec spec_with_a_tie(bool byte_fallback) {
  TokenizerSpec spec;
  model::SentencePiece model;
  const auto add = [&](const std::string& piece, model::PieceType type, float score) {
    spec.vocabulary.push_back({piece, static_cast<int32_t>(spec.vocabulary.size())});
    model.types.push_back(type);
    model.scores.push_back(score);
  };
  add("<unk>", model::PieceType::unknown, 0);
  for (int byte = 0; byte < 256 && byte_fallback; ++byte) {
    add(byte_token(static_cast<uint8_t>(byte)), model::PieceType::byte, 0);
  }
  add("\xE2\x96\x81", model::PieceType::normal, -2.0494707F);
  add("a", model::PieceType::normal, -8.660972F);
  add("aa", model::PieceType::normal, -10.222916F);
  add("b", model::PieceType::normal, -8.1092F);
  model.type = model::SentencePiece::Type::unigram;
  model.unk_id = 0;
  model.byte_fallback = byte_fallback;
  spec.model = model;
  spec.normalizers.emplace_back(normalizer::SentencePiece{});
  return spec;
}

/// Texts that end with the tie.
template <typename MakeBegin>
void expect_as_plain_before_a_tie(bool byte_fallback, int rounds, MakeBegin&& make_begin) {
  const TokenizerSpec spec = spec_with_a_tie(byte_fallback);
  const auto fused = make_text_encoder(spec, "test");
  const auto plain = make_pipeline_encoder(spec, "test");
  const auto fused_state = fused->make_state();
  const auto plain_state = plain->make_state();
  Draw draw;
  for (int round = 0; round < rounds; ++round) {
    const std::string text = make_begin(draw) + " aaa";
    ASSERT_EQ(encode(*fused, *fused_state, text), encode(*plain, *plain_state, text)) << text;
  }
}

TEST(SentencePieceEncoder, UnknownCharactersAddUpWhereTheyAreSpelledInBytes) {
  constexpr std::array parts = {" ", "a", "aa", "b", "\\", "7", "\xC3\xA9"};
  expect_as_plain_before_a_tie(true, 500, [&](Draw& draw) {
    std::string text;
    while (text.size() < 60) text += parts[draw(parts.size())];
    return text;
  });
}

/// Characters that join with nothing, so many that the sum is set back among them.
TEST(SentencePieceEncoder, SumsAreSetBackBetweenSingleCharacters) {
  constexpr std::array parts = {" ", "a", "aa", "b", "\xC3\xA9", "7"};
  expect_as_plain_before_a_tie(false, 200, [&](Draw& draw) {
    std::string text;
    for (uint64_t left = 4935 + draw(20); left > 0; --left) text += "\xE4\xB8\xAD";  // of -20.2 each
    for (uint64_t left = draw(15); left > 0; --left) text += parts[draw(parts.size())];
    return text;
  });
}

TEST(SentencePieceEncoder, LongRunsOfOneCharacter) {
  const auto path = shared_data("tokenizers/sentencepiece/llama2.model");
  if (!path) GTEST_SKIP() << "no shared data";
  const TokenizerSpec spec = read_sentencepiece_model(read_file(*path, 1 << 24), "model");
  const auto encoder = make_text_encoder(spec, "model");
  const auto state = encoder->make_state();
  constexpr size_t size = 1 << 18;
  EXPECT_EQ(encode(*encoder, *state, std::string(size, ' ')).size(), size / 16 + 1);
  const std::vector<int32_t> ids = encode(*encoder, *state, std::string(size, 'a'));
  EXPECT_EQ(ids.size(), size / 4 + 2);  // aaaa but for the ends
  EXPECT_EQ(std::count(ids.begin(), ids.end(), ids[ids.size() / 2]), static_cast<std::ptrdiff_t>(size / 4 - 1));
}

TEST(BpeSegmenter, MergesAsTheAgendaDoes) {
  for (const char* const name : {"llama2", "mistral01"}) {
    const auto path = shared_data(std::string("tokenizers/sentencepiece/") + name + ".model");
    if (!path) GTEST_SKIP() << "no shared data";
    TokenizerSpec spec = read_sentencepiece_model(read_file(*path, 1 << 24), name);
    auto& model = std::get<model::SentencePiece>(spec.model);
    for (const char* const symbol : {"ing", "\xE2\x96\x81the", "o"}) {
      for (const VocabularyEntry& entry : spec.vocabulary) {
        if (entry.token == symbol) model.types[static_cast<size_t>(entry.id)] = model::PieceType::user_defined;
      }
    }
    const PieceVocabulary vocabulary(spec, model);
    const BpeSegmenter rules(vocabulary, model, name);
    const AgendaBpeSegmenter agenda(vocabulary, model);
    const auto rules_scratch = rules.make_scratch();
    const auto agenda_scratch = agenda.make_scratch();
    Draw draw;
    for (int round = 0; round < 300; ++round) {
      const std::string text = random_text(draw, draw(200));
      std::vector<PieceToken> by_rules;
      std::vector<PieceToken> by_agenda;
      SegmentScore score;
      rules.segment(text, *rules_scratch, by_rules, score);
      agenda.segment(text, *agenda_scratch, by_agenda, score);
      const auto same = [](const PieceToken& a, const PieceToken& b) {
        return a.id == b.id && a.begin == b.begin && a.end == b.end;
      };
      ASSERT_TRUE(std::equal(by_rules.begin(), by_rules.end(), by_agenda.begin(), by_agenda.end(), same)) << text;
    }
  }
}

}  // namespace
}  // namespace sesame
