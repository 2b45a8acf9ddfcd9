#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/text/bpe/merge_table.h"
#include "sesame/text/sentencepiece/byte_trie.h"
#include "sesame/text/sentencepiece/piece_segmenter.h"

namespace sesame {

/// SentencePiece's BPE (bpe_model.cc): neighbours whose texts together are a piece merge, the piece of highest score
/// first, then the leftmost; user-defined symbols do not merge. For vocabularies without unused pieces.
class BpeSegmenter : public PieceSegmenter {
 public:
  BpeSegmenter(const PieceVocabulary& vocabulary, const model::SentencePiece& model, std::string_view origin);

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override;
  void segment(std::string_view text, Scratch& scratch, std::vector<PieceToken>& tokens,
               SegmentScore& score) const override;

 private:
  /// The symbols, by id: pieces by theirs, then characters that are no text piece but part of one.
  void make_symbols(const PieceVocabulary& vocabulary, std::string_view origin);
  void make_rules(const PieceVocabulary& vocabulary, const model::SentencePiece& model, std::string_view origin);
  void append_symbols(std::string_view text, std::vector<PieceToken>& symbols) const;
  [[nodiscard]] int32_t symbol_of(std::string_view character) const;

  ByteTrie user_symbols_;
  MergeTable rules_;
  ByteTrie characters_;  // symbols of one character
  std::array<int32_t, 128> ascii_{};
  int32_t pieces_;  // how many there are: larger symbols are unknown in the end
  int32_t unknown_;
};

/// The same word for word as SentencePiece does it, with unused pieces: they merge too, and are taken apart again at
/// the end as they were last put together anywhere in the text. Slow.
class AgendaBpeSegmenter : public PieceSegmenter {
 public:
  AgendaBpeSegmenter(const PieceVocabulary& vocabulary, const model::SentencePiece& model);

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override;
  void segment(std::string_view text, Scratch& scratch, std::vector<PieceToken>& tokens,
               SegmentScore& score) const override;

 private:
  struct Run;

  ByteTrie user_symbols_;
  ByteTrie text_pieces_;
  std::vector<float> scores_;
  std::vector<uint8_t> unused_;
  int32_t unknown_;
};

}  // namespace sesame
