// What SentencePiece itself makes of texts with small models of every type: tests/golden/generate_sentencepiece.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/encode/make_encoder.h"
#include "sesame/text/files/base64.h"
#include "sesame/text/sentencepiece/decoder.h"
#include "sesame/text/sentencepiece/model_file.h"
#include "sesame/text/sentencepiece/piece_vocabulary.h"
#include "sesame/text/sentencepiece/sentencepiece_encoder.h"
#include "sesame/text/sentencepiece/text_normalizer.h"

namespace sesame {
namespace {

struct Case {
  std::string text;
  std::string normalized;
  std::vector<int32_t> ids;
  std::string decoded;
};
struct Model {
  std::string name;
  std::string bytes;
  std::vector<Case> cases;
};

std::string unhex(std::string_view digits) {
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::vector<Model> read_models() {
  std::vector<Model> models;
  std::ifstream file("tests/golden/sentencepiece.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string what;
    std::string value;
    words >> what;
    if (what == "model") {
      models.emplace_back();
      words >> models.back().name >> value;
      models.back().bytes = decode_base64(value).value();
      continue;
    }
    std::vector<Case>& cases = models.back().cases;
    if (what == "text") cases.emplace_back();
    if (what == "ids") {
      for (int32_t id = 0; words >> id;) cases.back().ids.push_back(id);
      continue;
    }
    words >> value;
    (what == "text"         ? cases.back().text
     : what == "normalized" ? cases.back().normalized
                            : cases.back().decoded) = unhex(value);
  }
  return models;
}

std::vector<int32_t> encode(const TextEncoder& encoder, TextEncoder::State& state, std::string_view text) {
  IdBuffer ids;
  encoder.encode(text, StretchStart::text, state, ids);
  return {ids.ids().begin(), ids.ids().end()};
}

TEST(SentencePieceGolden, EncodesAsSentencePiece) {
  const std::vector<Model> models = read_models();
  ASSERT_EQ(models.size(), 9U);
  for (const Model& model : models) {
    const TokenizerSpec spec = read_sentencepiece_model(model.bytes, model.name);
    const auto fused = make_text_encoder(spec, model.name);
    const auto plain = make_pipeline_encoder(spec, model.name);
    const auto fused_state = fused->make_state();
    const auto plain_state = plain->make_state();
    // The second time words come from the caches.
    for (int time = 0; time < 2; ++time) {
      for (const Case& c : model.cases) {
        EXPECT_EQ(encode(*fused, *fused_state, c.text), c.ids) << model.name << ": " << c.text;
      }
    }
    for (const Case& c : model.cases) {
      EXPECT_EQ(encode(*plain, *plain_state, c.text), c.ids) << model.name << ": " << c.text;
    }
  }
}

TEST(SentencePieceGolden, NormalizesAsSentencePiece) {
  for (const Model& model : read_models()) {
    const TokenizerSpec spec = read_sentencepiece_model(model.bytes, model.name);
    const PieceVocabulary vocabulary(spec, std::get<model::SentencePiece>(spec.model));
    const SentencePieceNormalizer normalizer(std::get<normalizer::SentencePiece>(spec.normalizers.front()),
                                             vocabulary.user_symbols(), model.name);
    for (const Case& c : model.cases) {
      std::vector<size_t> sources;
      EXPECT_EQ(normalizer.apply(c.text), c.normalized) << model.name << ": " << c.text;
      EXPECT_EQ(normalizer.apply(c.text, &sources), c.normalized) << model.name << ": " << c.text;
      EXPECT_EQ(sources.size(), c.normalized.size() + 1);
      EXPECT_TRUE(std::is_sorted(sources.begin(), sources.end()));
      EXPECT_LE(sources.back(), c.text.size());
    }
  }
}

TEST(SentencePieceGolden, DecodesAsSentencePiece) {
  for (const Model& model : read_models()) {
    const SentencePieceDecoder decoder(read_sentencepiece_model(model.bytes, model.name), model.name);
    for (const Case& c : model.cases) EXPECT_EQ(decoder.decode(c.ids), c.decoded) << model.name << ": " << c.text;
  }
}

TEST(SentencePieceGolden, AModelIsWrittenAsItWasRead) {
  for (const Model& model : read_models()) {
    const TokenizerSpec spec = read_sentencepiece_model(model.bytes, model.name);
    const std::string written = format_sentencepiece_model(spec);
    EXPECT_EQ(format_sentencepiece_model(read_sentencepiece_model(written, model.name)), written);
    const auto encoder = make_text_encoder(read_sentencepiece_model(written, model.name), model.name);
    const auto state = encoder->make_state();
    for (const Case& c : model.cases) EXPECT_EQ(encode(*encoder, *state, c.text), c.ids) << model.name;
  }
}

/// Every beginning of a file is refused, or is a model of fewer pieces; none reads past the end.
TEST(SentencePieceGolden, ShortenedModelsAreRefused) {
  const std::vector<Model> models = read_models();
  const std::string& bytes = models.front().bytes;
  size_t refused = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::unique_ptr<char[]> exact(new char[size + 1]);
    std::copy_n(bytes.begin(), size, exact.get());
    try {
      read_sentencepiece_model({exact.get(), size}, "model");
    } catch (const Error& error) {
      ++refused;
      EXPECT_TRUE(std::string_view(error.what()).starts_with("model")) << error.what();
    }
  }
  EXPECT_GT(refused, bytes.size() * 9 / 10);
}

TEST(SentencePieceGolden, ScoresThatNoSumsCanHoldAreRefused) {
  for (const float score :
       {-1e31F, 1e31F, -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    TokenizerSpec spec = read_sentencepiece_model(read_models()[0].bytes, "model");
    std::get<model::SentencePiece>(spec.model).scores.back() = score;
    EXPECT_THROW((void)read_sentencepiece_model(format_sentencepiece_model(spec), "model"), Error) << score;
  }
}

/// Changed bytes give an Error or a model that works.
TEST(SentencePieceGolden, DamagedModelsDoNoHarm) {
  const std::vector<Model> models = read_models();
  const std::string& bytes = models[1].bytes;
  uint64_t state = 12345;
  const auto next = [&] { return (state = state * 6364136223846793005 + 1442695040888963407) >> 33; };
  size_t refused = 0;
  for (int round = 0; round < 300; ++round) {
    std::string damaged = bytes;
    for (uint64_t changes = 1 + next() % 4; changes > 0; --changes) {
      damaged[next() % damaged.size()] = static_cast<char>(next());
    }
    try {
      const TokenizerSpec spec = read_sentencepiece_model(damaged, "model");
      const auto encoder = make_text_encoder(spec, "model");
      const auto buffers = encoder->make_state();
      const std::vector<int32_t> ids =
          encode(*encoder, *buffers, "The \xEF\xAC\x81 dog <x> \xFF \xE7\x9A\x84 a\xCC\x80 ou.");
      const SentencePieceDecoder decoder(spec, "model");
      EXPECT_NO_THROW((void)decoder.decode(ids));
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 0U);
  EXPECT_LT(refused, 300U);
}

}  // namespace
}  // namespace sesame
