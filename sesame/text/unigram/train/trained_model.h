#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/unigram/train/special_pieces.h"
#include "sesame/text/unigram/train/unigram_trainer.h"

namespace sesame::unigram {

struct ScoredPiece {
  std::string piece;
  float score = 0;
};

/// A trained SentencePiece model: special pieces at their ids, the others in the gaps and behind. Throws Error where
/// there are too few for an id that was asked for or, with hard_vocab_limit, for the vocabulary.
TokenizerSpec make_trained_model(const UnigramTrainerOptions& options, const std::map<int32_t, SpecialPiece>& special,
                                 model::SentencePiece::Type type, const std::vector<ScoredPiece>& pieces);

}  // namespace sesame::unigram
