#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sesame/text/bpe/pair_map.h"
#include "sesame/text/token_model.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/string_map.h"

namespace sesame {

/// The merges of a BPE model over pieces of text: repeatedly the pair of lowest rank, leftmost first.
class BpeModel : public TokenModel {
 public:
  /// `byte_level`: symbols are bytes and the vocabulary spells them in GPT-2's alphabet; otherwise symbols are
  /// characters. Special tokens that are in the vocabulary too are never the ids of text.
  BpeModel(const model::Bpe& model, const TokenizerSpec& spec, bool byte_level, std::string_view origin);

  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override;
  void encode(std::string_view piece, Scratch& scratch, std::vector<PieceToken>& tokens) const override;

 private:
  struct Buffers;
  struct Merged {
    uint32_t rank;
    int32_t id;
  };
  static constexpr uint32_t no_rank = UINT32_MAX;

  void index_vocabulary(const TokenizerSpec& spec);
  void symbols_of_bytes(std::string_view piece, std::vector<PieceToken>& symbols) const;
  void symbols_of_characters(std::string_view piece, std::vector<PieceToken>& symbols) const;
  [[nodiscard]] bool append_byte_tokens(std::string_view piece, uint32_t begin, uint32_t end,
                                        std::vector<PieceToken>& symbols) const;
  void merge_by_scan(Buffers& buffers) const;
  void merge_by_heap(Buffers& buffers) const;
  [[nodiscard]] uint32_t rank_of(int32_t left, int32_t right) const {
    const Merged* merged = merges_.find(pair_key(left, right));
    return merged == nullptr ? no_rank : merged->rank;
  }

  bool byte_level_;
  bool ignore_merges_;
  bool fuse_unknown_;
  std::optional<int32_t> unknown_;
  PairMap<Merged> merges_;
  std::array<int32_t, 256> byte_ids_{};  // of bytes, or of byte fallback tokens; -1 where there is none
  std::array<int32_t, 128> ascii_ids_{};
  std::unordered_map<uint32_t, int32_t> character_ids_;
  StringMap pieces_;  // for ignore_merges
};

/// Why a character cannot be encoded, and what to do.
[[noreturn]] void fail_unknown_character(std::string_view character);

}  // namespace sesame
