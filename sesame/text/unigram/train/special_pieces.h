#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "sesame/text/unigram/train/unigram_trainer.h"

namespace sesame::unigram {

struct SpecialPiece {
  std::string piece;
  model::PieceType type = model::PieceType::control;
};

/// The pieces that are not learnt, by id: <unk>, <s>, </s>, <pad> at the ids asked for, then control symbols,
/// user-defined symbols and, with byte fallback, the 256 bytes at the lowest free ones. Throws Error (usage) where two
/// of them collide or an id is not in the vocabulary.
std::map<int32_t, SpecialPiece> special_pieces(const UnigramTrainerOptions& options);

/// Throws Error (usage) for an option that is out of its range.
void check_options(const UnigramTrainerOptions& options);

}  // namespace sesame::unigram
