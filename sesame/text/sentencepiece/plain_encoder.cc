#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/sentencepiece/piece_segmenter.h"
#include "sesame/text/sentencepiece/piece_vocabulary.h"
#include "sesame/text/sentencepiece/sentencepiece_encoder.h"
#include "sesame/text/sentencepiece/text_normalizer.h"

namespace sesame {
namespace {

const model::SentencePiece& model_of(const TokenizerSpec& spec, std::string_view origin) {
  const auto* const model = std::get_if<model::SentencePiece>(&spec.model);
  if (model == nullptr) fail(fmt::format("{}: the model is not SentencePiece's own", origin));
  return *model;
}

class SentencePieceModel : public TokenModel {
 public:
  SentencePieceModel(const TokenizerSpec& spec, std::string_view origin)
      : vocabulary_(spec, model_of(spec, origin)),
        segmenter_(make_segmenter(vocabulary_, model_of(spec, origin), origin)) {}

  [[nodiscard]] const PieceVocabulary& vocabulary() const noexcept { return vocabulary_; }

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override {
    auto buffers = std::make_unique<Buffers>();
    buffers->segmenting = segmenter_->make_scratch();
    return buffers;
  }

  void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const override {
    auto& buffers = static_cast<Buffers&>(scratch);
    buffers.pieces.clear();
    SegmentScore score;
    segmenter_->segment(piece, *buffers.segmenting, buffers.pieces, score);
    bool previous_unknown = false;
    for (const PieceToken& token : buffers.pieces) vocabulary_.append(piece, token, previous_unknown, tokens);
  }

 private:
  struct Buffers : Scratch {
    std::unique_ptr<PieceSegmenter::Scratch> segmenting;
    std::vector<PieceToken> pieces;
  };

  PieceVocabulary vocabulary_;
  std::unique_ptr<PieceSegmenter> segmenter_;
};

class PlainEncoder : public TextEncoder {
 public:
  PlainEncoder(const TokenizerSpec& spec, std::string_view origin)
      : model_(spec, origin),
        normalizer_(std::get<normalizer::SentencePiece>(spec.normalizers.front()), model_.vocabulary().user_symbols(),
                    origin) {}

  [[nodiscard]] std::unique_ptr<State> make_state() const override {
    auto state = std::make_unique<Buffers>();
    state->scratch = model_.make_scratch();
    return state;
  }

  void encode(std::string_view text, StretchStart, State& state, IdBuffer& ids) const override {
    auto& buffers = static_cast<Buffers&>(state);
    buffers.tokens.clear();
    model_.encode(normalizer_.apply(text), *buffers.scratch, buffers.tokens);
    int32_t* const out = ids.reserve(buffers.tokens.size());
    std::transform(buffers.tokens.begin(), buffers.tokens.end(), out, [](const PieceToken& token) { return token.id; });
    ids.commit(buffers.tokens.size());
  }

  [[nodiscard]] size_t next_cut(std::string_view text, size_t) const override { return text.size(); }

 private:
  struct Buffers : State {
    std::unique_ptr<TokenModel::Scratch> scratch;
    std::vector<PieceToken> tokens;
  };

  SentencePieceModel model_;
  SentencePieceNormalizer normalizer_;
};

}  // namespace

std::unique_ptr<TokenModel> make_sentencepiece_model(const TokenizerSpec& spec, std::string_view origin) {
  return std::make_unique<SentencePieceModel>(spec, origin);
}

std::unique_ptr<TextEncoder> make_plain_sentencepiece_encoder(const TokenizerSpec& spec, std::string_view origin) {
  if (spec.normalizers.size() != 1 || !std::holds_alternative<normalizer::SentencePiece>(spec.normalizers.front()) ||
      !spec.pre_tokenizers.empty()) {
    fail(fmt::format("{}: a SentencePiece model takes SentencePiece's normalizer and no pre-tokenizer", origin));
  }
  return std::make_unique<PlainEncoder>(spec, origin);
}

}  // namespace sesame
