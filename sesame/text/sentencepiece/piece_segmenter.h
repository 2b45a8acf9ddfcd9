#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/text/sentencepiece/piece_vocabulary.h"
#include "sesame/text/sentencepiece/score_range.h"
#include "sesame/text/token_model.h"

namespace sesame {

/// Scores are added up in float, where a model adds them up at all: the choice between segmentations that are nearly as
/// good may depend on the sum of all that stands before.
struct SegmentScore {
  float sum = 0;  // of all pieces so far, in the order and the precision of SentencePiece
  /// Below which the choice is the same, as ScoreRange counts it; 0: it was made for this sum.
  uint8_t limit = ScoreRange::highest_limit;
};

/// Cuts normalized text into pieces by the rules of one type of SentencePiece model.
class PieceSegmenter {
 public:
  class Scratch {
   public:
    virtual ~Scratch() = default;
  };

  virtual ~PieceSegmenter() = default;

  [[nodiscard]] virtual std::unique_ptr<Scratch> make_scratch() const = 0;

  /// Appends the pieces of `text`, a character that is in no piece as the unknown one. `score` is that of the text
  /// before on the way in, and of this text too on the way out; models without sums leave it alone.
  virtual void segment(std::string_view text, Scratch& scratch, std::vector<PieceToken>& tokens,
                       SegmentScore& score) const = 0;

  /// The scores of pieces by id, as they are added to a sum; none for models without sums.
  [[nodiscard]] virtual std::span<const float> piece_scores() const noexcept { return {}; }
  [[nodiscard]] virtual ScoreRange score_range() const { return {}; }
};

/// The segmenter of a model. Throws Error, beginning with `origin`, for a vocabulary that is too large.
std::unique_ptr<PieceSegmenter> make_segmenter(const PieceVocabulary& vocabulary, const model::SentencePiece& model,
                                               std::string_view origin);

}  // namespace sesame
