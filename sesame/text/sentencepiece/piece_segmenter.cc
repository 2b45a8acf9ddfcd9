#include "sesame/text/sentencepiece/piece_segmenter.h"

#include <algorithm>
#include <limits>

#include "sesame/text/sentencepiece/bpe_segmenter.h"
#include "sesame/text/sentencepiece/byte_trie.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/unigram/best_path.h"

namespace sesame {
namespace {

/// The most probable segmentation; unused pieces are none.
class UnigramSegmenter : public PieceSegmenter {
 public:
  UnigramSegmenter(const PieceVocabulary& vocabulary, const model::SentencePiece& model) {
    float least = std::numeric_limits<float>::max();
    for (size_t id = 0; id < model.types.size(); ++id) {
      if (model.types[id] == model::PieceType::normal) least = std::min(least, model.scores[id]);
    }
    std::vector<float> scores(model.scores.begin(), model.scores.end());
    std::vector<PieceVocabulary::Piece> strings;
    for (const PieceVocabulary::Piece& piece : vocabulary.text_pieces()) {
      const auto& [text, id] = piece;
      if (vocabulary.type(id) == model::PieceType::unused) continue;
      if (vocabulary.type(id) == model::PieceType::user_defined) {
        // More than any path through normal pieces, and more for a longer symbol.
        scores[static_cast<size_t>(id)] = static_cast<float>(0.1 * static_cast<double>(text.size() - 1));
      }
      strings.push_back(piece);
    }
    const float unknown_score = least - 10.0F;
    std::vector<float> added = {unknown_score};
    for (const auto& [text, id] : strings) added.push_back(scores[static_cast<size_t>(id)]);
    range_ = ScoreRange(added);
    scores[static_cast<size_t>(vocabulary.unknown())] = unknown_score;
    // No way goes through bytes: one alone stands for an unknown character.
    for (size_t id = 0; id < model.types.size(); ++id) {
      if (model.types[id] == model::PieceType::byte) scores[id] = unknown_score;
    }
    pieces_ = UnigramPieces<float>(std::move(strings), std::move(scores));
    pieces_.unknown = vocabulary.unknown();
    pieces_.unknown_score = unknown_score;
  }

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<Buffers>(); }

  void segment(std::string_view text, Scratch& scratch, std::vector<PieceToken>& tokens,
               SegmentScore& score) const override {
    auto& paths = static_cast<Buffers&>(scratch).paths;
    const auto length_of = [](std::string_view t, size_t begin) { return character_length(t, begin); };
    const size_t before = tokens.size();
    if (text.size() <= ScoreRange::most_bytes) {
      // From zero, where the sums are precise: mostly the choice is clear.
      UnigramMargin<float> margin;
      float sum = 0;
      find_best_path(pieces_, text, length_of, paths, sum, tokens, &margin);
      score.limit = range_.limit_of_margin(margin.margin, tokens.size() - before + margin.characters);
      if (score.limit >= range_.limit_of(score.sum)) {
        for (size_t i = before; i < tokens.size(); ++i)
          score.sum += pieces_.scores()[static_cast<size_t>(tokens[i].id)];
        return;
      }
      tokens.resize(before);
    }
    score.limit = 0;
    find_best_path(pieces_, text, length_of, paths, score.sum, tokens);
  }

  [[nodiscard]] std::span<const float> piece_scores() const noexcept override { return pieces_.scores(); }
  [[nodiscard]] ScoreRange score_range() const override { return range_; }

 private:
  struct Buffers : Scratch {
    UnigramPaths<float> paths;
  };

  UnigramPieces<float> pieces_;
  ScoreRange range_;
};

/// Every character or user-defined symbol, or every word, is a piece.
class WholeSegmenter : public PieceSegmenter {
 public:
  WholeSegmenter(const PieceVocabulary& vocabulary, bool words) : unknown_(vocabulary.unknown()), words_(words) {
    std::vector<PieceVocabulary::Piece> pieces;
    for (const PieceVocabulary::Piece& piece : vocabulary.text_pieces()) {
      if (vocabulary.type(piece.second) != model::PieceType::unused) pieces.push_back(piece);
    }
    pieces_ = ByteTrie(std::move(pieces));
    std::vector<PieceVocabulary::Piece> symbols;
    for (const std::string_view text : vocabulary.user_symbols()) symbols.emplace_back(text, 0);
    user_symbols_ = ByteTrie(std::move(symbols));
  }

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override { return std::make_unique<Scratch>(); }

  void segment(std::string_view text, Scratch&, std::vector<PieceToken>& tokens, SegmentScore&) const override {
    for (size_t i = 0; i < text.size();) {
      const size_t end = words_ ? word_end(text, i) : character_end(text, i);
      tokens.push_back({id_of(text.substr(i, end - i)), static_cast<uint32_t>(i), static_cast<uint32_t>(end)});
      i = end;
    }
  }

 private:
  /// A word goes up to the next space symbol.
  static size_t word_end(std::string_view text, size_t begin) {
    const size_t second = begin + character_length(text, begin);
    size_t end = second;
    while (end < text.size() && text.substr(end, character_length(text, end)) != space_symbol) {
      end += character_length(text, end);
    }
    return end;
  }

  [[nodiscard]] size_t character_end(std::string_view text, size_t begin) const {
    const size_t symbol = user_symbols_.longest_prefix(text, begin).length;
    return begin + (symbol > 0 ? symbol : character_length(text, begin));
  }

  [[nodiscard]] int32_t id_of(std::string_view text) const {
    const int32_t id = pieces_.find(text);
    return id >= 0 ? id : unknown_;
  }

  ByteTrie pieces_;
  ByteTrie user_symbols_;
  int32_t unknown_;
  bool words_;
};

}  // namespace

std::unique_ptr<PieceSegmenter> make_segmenter(const PieceVocabulary& vocabulary, const model::SentencePiece& model,
                                               std::string_view origin) {
  using Type = model::SentencePiece::Type;
  switch (model.type) {
    case Type::unigram:
      return std::make_unique<UnigramSegmenter>(vocabulary, model);
    case Type::bpe:
      if (vocabulary.has_unused()) return std::make_unique<AgendaBpeSegmenter>(vocabulary, model);
      return std::make_unique<BpeSegmenter>(vocabulary, model, origin);
    default:
      return std::make_unique<WholeSegmenter>(vocabulary, model.type == Type::word);
  }
}

}  // namespace sesame
