#include "sesame/text/sentencepiece/bpe_segmenter.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "sesame/base/error.h"
#include "sesame/text/bpe/merge.h"

namespace sesame {
namespace {

// Symbols that do not merge have negative ids, which merge() leaves alone.
constexpr int32_t unknown_symbol = -1;
int32_t frozen(int32_t id) { return -2 - id; }

struct Buffers : PieceSegmenter::Scratch {
  std::vector<PieceToken> symbols;
  MergeBuffers merging;
};

}  // namespace

BpeSegmenter::BpeSegmenter(const PieceVocabulary& vocabulary, const model::SentencePiece& model,
                           std::string_view origin)
    : user_symbols_(vocabulary.text_pieces(model::PieceType::user_defined)),
      pieces_(static_cast<int32_t>(model.types.size())),
      unknown_(vocabulary.unknown()) {
  make_symbols(vocabulary, origin);
  make_rules(vocabulary, model, origin);
}

void BpeSegmenter::make_symbols(const PieceVocabulary& vocabulary, std::string_view origin) {
  std::unordered_map<std::string_view, int32_t> characters;
  for (const auto& [text, id] : vocabulary.text_pieces()) {
    if (character_length(text, 0) == text.size()) characters.emplace(text, id);
  }
  int64_t next = pieces_;
  for (const auto& [text, id] : vocabulary.text_pieces()) {
    for (size_t i = 0; i < text.size(); i += character_length(text, i)) {
      if (next > max_token_id) fail(fmt::format("{}: the pieces have too many characters", origin));
      if (characters.emplace(text.substr(i, character_length(text, i)), static_cast<int32_t>(next)).second) ++next;
    }
  }
  std::vector<PieceVocabulary::Piece> symbols(characters.begin(), characters.end());
  ascii_.fill(unknown_symbol);
  for (const auto& [text, symbol] : symbols) {
    if (text.size() == 1 && static_cast<uint8_t>(text[0]) < 128) ascii_[static_cast<uint8_t>(text[0])] = symbol;
  }
  characters_ = ByteTrie(std::move(symbols));
}

void BpeSegmenter::make_rules(const PieceVocabulary& vocabulary, const model::SentencePiece& model,
                              std::string_view origin) {
  const ByteTrie pieces(vocabulary.text_pieces());
  const auto find = [&](std::string_view text) {
    const int32_t piece = pieces.find(text);
    return piece >= 0 ? piece : characters_.find(text);
  };
  std::vector<PieceVocabulary::Piece> by_score = vocabulary.text_pieces();
  const auto score = [&](const PieceVocabulary::Piece& piece) {
    return model.scores[static_cast<size_t>(piece.second)];
  };
  std::stable_sort(by_score.begin(), by_score.end(), [&](const auto& a, const auto& b) { return score(a) > score(b); });
  std::vector<MergeRule> rules;
  std::vector<uint32_t> ranks;
  uint32_t rank = 0;
  for (size_t i = 0; i < by_score.size(); ++i) {
    if (i > 0 && score(by_score[i]) != score(by_score[i - 1])) ++rank;
    const auto& [text, id] = by_score[i];
    for (size_t cut = character_length(text, 0); cut < text.size(); cut += character_length(text, cut)) {
      const int32_t left = find(text.substr(0, cut));
      const int32_t right = left < 0 ? -1 : find(text.substr(cut));
      if (right < 0) continue;
      rules.push_back({left, right, id});
      ranks.push_back(rank);
    }
  }
  rules_ = MergeTable(rules, ranks, origin);
}

int32_t BpeSegmenter::symbol_of(std::string_view character) const {
  if (character.size() == 1 && static_cast<uint8_t>(character[0]) < 128)
    return ascii_[static_cast<uint8_t>(character[0])];
  return characters_.find(character);
}

void BpeSegmenter::append_symbols(std::string_view text, std::vector<PieceToken>& symbols) const {
  for (size_t i = 0; i < text.size();) {
    const ByteTrie::Match match = user_symbols_.longest_prefix(text, i);
    const size_t length = match.length > 0 ? match.length : character_length(text, i);
    const int32_t symbol = match.length > 0 ? frozen(match.value) : symbol_of(text.substr(i, length));
    symbols.push_back({symbol, static_cast<uint32_t>(i), static_cast<uint32_t>(i + length)});
    i += length;
  }
}

std::unique_ptr<PieceSegmenter::Scratch> BpeSegmenter::make_scratch() const { return std::make_unique<Buffers>(); }

void BpeSegmenter::segment(std::string_view text, Scratch& scratch, std::vector<PieceToken>& tokens,
                           SegmentScore&) const {
  auto& buffers = static_cast<Buffers&>(scratch);
  buffers.symbols.clear();
  append_symbols(text, buffers.symbols);
  merge(rules_, buffers.symbols, buffers.merging);
  for (PieceToken token : buffers.symbols) {
    if (token.id == unknown_symbol || token.id >= pieces_) {
      token.id = unknown_;
    } else if (token.id < 0) {
      token.id = frozen(token.id);
    }
    tokens.push_back(token);
  }
}

}  // namespace sesame
