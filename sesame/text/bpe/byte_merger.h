#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "sesame/base/flat_array.h"
#include "sesame/text/bpe/merge_table.h"
#include "sesame/text/bpe/piece_merger.h"
#include "sesame/text/bpe/uncrossed_pairs.h"
#include "sesame/text/encode/string_index.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Byte-level BPE of a vocabulary that has a token for every byte.
class ByteMerger : public PieceMerger {
 public:
  /// Null where the model is of another kind: a byte without a token, prefixes or suffixes.
  static std::unique_ptr<const ByteMerger> make(const model::Bpe& model, const TokenizerSpec& spec,
                                                std::string_view origin);

  /// From an image that write wrote. Throws Error for sections that do not hold together.
  explicit ByteMerger(const ImageReader& image);
  void write(ImageWriter& image) const;

  size_t encode(std::string_view piece, Buffers& buffers, int32_t* ids) const override;
  void encode_words(std::span<Word> words, Buffers& buffers) const override;
  [[nodiscard]] int32_t whole_piece(std::string_view piece) const override;
  [[nodiscard]] size_t next_cut(std::string_view piece, size_t from) const override {
    return uncrossed_.next_cut(piece, from);
  }

 private:
  static constexpr size_t max_together = 32;

  ByteMerger() = default;
  void find_uncrossed_pairs(const TokenizerSpec& spec);
  void index_pieces(const std::vector<VocabularyEntry>& vocabulary);
  [[nodiscard]] std::string_view piece(uint32_t number) const noexcept {
    return {piece_bytes_.data() + piece_begins_[number], piece_begins_[number + 1] - piece_begins_[number]};
  }
  struct Merging;
  void merge_words(std::span<Word> words) const noexcept;
  void begin(Word& word, Merging& merging) const noexcept;
  void apply(Merging& merging) const noexcept;
  void find_neighbours(Merging& merging) const noexcept;
  [[nodiscard]] uint32_t byte_pair_rule(char left, char right) const noexcept {
    return byte_pairs_[size_t{static_cast<uint8_t>(left)} << 8 | static_cast<uint8_t>(right)];
  }

  FlatArray<int32_t> byte_ids_;     // [256]
  FlatArray<uint32_t> byte_pairs_;  // [256 * 256]: rules of pairs of bytes
  MergeTable merges_;
  UncrossedPairs uncrossed_;
  // The pieces that are tokens though merges make something else of them: bytes, where they begin, ids.
  FlatArray<char> piece_bytes_;
  FlatArray<uint32_t> piece_begins_;
  FlatArray<int32_t> piece_ids_;
  StringIndex piece_index_;
  size_t longest_piece_ = 0;
};

}  // namespace sesame
