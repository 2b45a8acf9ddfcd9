#include "sesame/text/sentencepiece/piece_vocabulary.h"

#include <algorithm>
#include <iterator>

#include "sesame/text/bpe/byte_alphabet.h"

namespace sesame {

PieceVocabulary::PieceVocabulary(const TokenizerSpec& spec, const model::SentencePiece& model)
    : types_(model.types), unknown_(model.unk_id), byte_fallback_(model.byte_fallback) {
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const std::string_view text = entry.token;
    // Some converters write this one beside <0x00>; SentencePiece takes it for unused.
    if (byte_fallback_ && text == std::string_view("\0", 1)) continue;
    switch (type(entry.id)) {
      case model::PieceType::user_defined:
        user_symbols_.push_back(text);
        text_pieces_.emplace_back(text, entry.id);
        break;
      case model::PieceType::unused:
        has_unused_ = true;
        text_pieces_.emplace_back(text, entry.id);
        break;
      case model::PieceType::normal:
        text_pieces_.emplace_back(text, entry.id);
        break;
      case model::PieceType::byte:
        if (const auto byte = parse_byte_token(text)) byte_ids_[*byte] = entry.id;
        break;
      default:
        break;
    }
  }
}

std::vector<PieceVocabulary::Piece> PieceVocabulary::text_pieces(model::PieceType type) const {
  std::vector<Piece> pieces;
  std::copy_if(text_pieces_.begin(), text_pieces_.end(), std::back_inserter(pieces),
               [&](const Piece& piece) { return this->type(piece.second) == type; });
  return pieces;
}

void PieceVocabulary::append(std::string_view text, const PieceToken& token, bool& previous_unknown,
                             std::vector<PieceToken>& tokens) const {
  const bool is_unknown = token.id == unknown_;
  if (is_unknown && byte_fallback_) {
    for (uint32_t i = token.begin; i < token.end; ++i) {
      tokens.push_back({byte_ids_[static_cast<uint8_t>(text[i])], token.begin, token.begin});
    }
    tokens.back().end = token.end;
  } else if (is_unknown && previous_unknown) {
    if (!tokens.empty()) tokens.back().end = token.end;
  } else {
    tokens.push_back(token);
  }
  previous_unknown = is_unknown;
}

}  // namespace sesame
