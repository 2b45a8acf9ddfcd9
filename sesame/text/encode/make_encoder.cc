#include "sesame/text/encode/make_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sesame/base/error.h"
#include "sesame/text/bpe/bpe_model.h"
#include "sesame/text/bpe/byte_level_encoder.h"
#include "sesame/text/bpe/marked_bpe_encoder.h"
#include "sesame/text/encode/pipeline_encoder.h"
#include "sesame/text/pipeline/word_level_model.h"
#include "sesame/text/sentencepiece/sentencepiece_encoder.h"
#include "sesame/text/unigram/unigram_encoder.h"
#include "sesame/text/unigram/unigram_model.h"
#include "sesame/text/wordpiece/bert_encoder.h"
#include "sesame/text/wordpiece/wordpiece_model.h"

namespace sesame {
namespace {

/// The fused encoders: each looks at a pipeline and returns null where it is not of its family.
using MakeFused = std::unique_ptr<TextEncoder> (*)(const TokenizerSpec& spec, std::string_view origin);
constexpr std::array fused_encoders = {
    MakeFused{&make_bert_encoder},          MakeFused{&make_byte_level_encoder}, MakeFused{&make_marked_bpe_encoder},
    MakeFused{&make_sentencepiece_encoder}, MakeFused{&make_unigram_encoder},
};

}  // namespace

std::unique_ptr<TokenModel> make_token_model(const TokenizerSpec& spec, std::string_view origin) {
  if (const auto* bpe = std::get_if<model::Bpe>(&spec.model)) {
    return std::make_unique<BpeModel>(*bpe, spec, sees_bytes(spec), origin);
  }
  if (const auto* words = std::get_if<model::WordLevel>(&spec.model)) {
    return std::make_unique<WordLevelModel>(*words, spec);
  }
  if (const auto* pieces = std::get_if<model::WordPiece>(&spec.model)) {
    return std::make_unique<WordPieceModel>(*pieces, spec);
  }
  if (const auto* unigram = std::get_if<model::Unigram>(&spec.model)) {
    return std::make_unique<UnigramModel>(*unigram, spec, origin);
  }
  return make_sentencepiece_model(spec, origin);
}

std::unique_ptr<TextEncoder> make_pipeline_encoder(const TokenizerSpec& spec, std::string_view origin) {
  if (std::holds_alternative<model::SentencePiece>(spec.model)) return make_plain_sentencepiece_encoder(spec, origin);
  return std::make_unique<PipelineEncoder>(spec, make_token_model(spec, origin), origin);
}

std::unique_ptr<TextEncoder> make_text_encoder(const TokenizerSpec& spec, std::string_view origin) {
  for (const MakeFused make : fused_encoders) {
    if (auto encoder = make(spec, origin)) return encoder;
  }
  return make_pipeline_encoder(spec, origin);
}

std::unique_ptr<TextEncoder> make_text_encoder(const TokenizerSpec& stages, const ImageReader& image,
                                               std::string_view origin) {
  auto encoder = make_byte_level_encoder(stages, image, origin);
  if (encoder == nullptr) fail(fmt::format("{}: the tokenizer image has tables of another pipeline", origin));
  return encoder;
}

}  // namespace sesame
