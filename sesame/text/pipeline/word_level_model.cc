#include "sesame/text/pipeline/word_level_model.h"

#include <unordered_set>

#include "sesame/text/bpe/bpe_model.h"

namespace sesame {

WordLevelModel::WordLevelModel(const model::WordLevel& model, const TokenizerSpec& spec) {
  // Text is never a special token, whatever it says; the token for unknown words is found by its name all the same.
  std::unordered_set<int32_t> special;
  for (const AddedToken& token : spec.added_tokens) {
    if (token.special) special.insert(token.id);
    if (token.content == model.unk_token) unknown_ = token.id;
  }
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (entry.token == model.unk_token) unknown_ = entry.id;
    if (!special.contains(entry.id)) words_.emplace(entry.token, entry.id);
  }
}

void WordLevelModel::encode(std::string_view piece, Scratch&, std::vector<PieceToken>& tokens) const {
  const auto word = words_.find(piece);
  if (word == words_.end() && !unknown_) fail_unknown_character(piece);
  tokens.push_back({word == words_.end() ? *unknown_ : word->second, 0, static_cast<uint32_t>(piece.size())});
}

}  // namespace sesame
