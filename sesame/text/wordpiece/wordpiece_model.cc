#include "sesame/text/wordpiece/wordpiece_model.h"

#include <fmt/format.h>

#include <memory>
#include <unordered_set>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

struct MatchScratch : TokenModel::Scratch {
  PieceTrie::Scratch match;
};

bool longer_than(std::string_view word, uint64_t characters) {
  if (word.size() <= characters) return false;
  uint64_t count = 0;
  for (size_t i = 0; i < word.size() && count <= characters; ++count) i += decode_utf8(word, i).length;
  return count > characters;
}

/// Pieces longer than the longest word never match.
PieceTrie make_trie(const model::WordPiece& model, const TokenizerSpec& spec) {
  std::unordered_set<int32_t> special;
  for (const AddedToken& token : spec.added_tokens) {
    if (token.special) special.insert(token.id);
  }
  std::vector<PieceTrie::Piece> first;
  std::vector<PieceTrie::Piece> next;
  const std::string_view prefix = model.continuing_subword_prefix;
  for (const VocabularyEntry& entry : spec.vocabulary) {
    const std::string_view text = entry.token;
    if (text.empty() || special.contains(entry.id)) continue;
    if (!longer_than(text, model.max_input_chars_per_word)) first.push_back({text, entry.id});
    if (!text.starts_with(prefix) || text.size() == prefix.size()) continue;
    const std::string_view rest = text.substr(prefix.size());
    if (!longer_than(rest, model.max_input_chars_per_word)) next.push_back({rest, entry.id});
  }
  return {first, next};
}

}  // namespace

WordPieceModel::WordPieceModel(const model::WordPiece& model, const TokenizerSpec& spec)
    : trie_(make_trie(model, spec)), unk_token_(model.unk_token), max_characters_(model.max_input_chars_per_word) {
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (entry.token == unk_token_) unknown_ = entry.id;
  }
}

std::unique_ptr<TokenModel::Scratch> WordPieceModel::make_scratch() const { return std::make_unique<MatchScratch>(); }

bool WordPieceModel::match(std::string_view word, PieceTrie::Scratch& scratch) const {
  return !longer_than(word, max_characters_) && trie_.match(word, scratch);
}

int32_t WordPieceModel::unknown(std::string_view word) const {
  if (unknown_) return *unknown_;
  fail(
      fmt::format("the word '{}' is not made of the tokenizer's vocabulary, which lacks the token for unknown words "
                  "'{}': add that to the vocabulary",
                  word.substr(0, 100), unk_token_));
}

void WordPieceModel::encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const {
  if (piece.empty()) return;
  auto& match_scratch = static_cast<MatchScratch&>(scratch).match;
  if (!match(piece, match_scratch)) {
    tokens.push_back({unknown(piece), 0, static_cast<uint32_t>(piece.size())});
    return;
  }
  uint32_t begin = 0;
  for (const PieceTrie::Match& match : match_scratch.pieces) {
    tokens.push_back({match.id, begin, begin + match.length});
    begin += match.length;
  }
}

}  // namespace sesame
