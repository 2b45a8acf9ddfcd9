#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/text/bpe/merge_table.h"
#include "sesame/text/sentencepiece/byte_trie.h"

namespace sesame {

/// Byte-level BPE from left to right: linear in the length of a piece, whatever stands in it, where a queue of merges
/// costs n log n. Takes the longest token that can stand behind the one before it, and goes back where none can. The
/// tokens that merging gives are the only ones of which each two neighbours, merged by themselves, stay two tokens.
/// (H. van Antwerpen and A. Neubeck, "So many tokens, so little time", GitHub 2024.)
///
/// That holds for rules of which none makes a pair with a lower rank than its own; others get no merger. Immutable; the
/// table must outlive it.
class BacktrackingMerger {
 public:
  /// Null where the rules are out of order.
  static std::unique_ptr<const BacktrackingMerger> make(const MergeTable& merges, std::span<const int32_t> byte_ids);

  /// What calls of one thread work in.
  struct Buffers {
    std::vector<bool> closed;
    std::vector<uint64_t> known_pairs;  // pairs of tokens and whether they stay two, one place a pair
  };

  /// Writes the ids of a piece to `ids`, which has room for one a byte, and returns how many they are.
  size_t encode(std::string_view piece, Buffers& buffers, int32_t* ids) const;

 private:
  explicit BacktrackingMerger(const MergeTable& merges) : merges_(merges) {}

  static constexpr int32_t none = -1;
  struct Token {
    int32_t rule = none;  // that makes it; none for a byte
    int32_t left = none;  // and right: its parts, or itself
    int32_t right = none;
    int32_t prefix = none;  // the longest token that it begins with, but itself
    uint32_t size = 0;      // in bytes; 0 where merges never end in this token
  };
  bool add_tokens(std::span<const int32_t> byte_ids);
  [[nodiscard]] bool stay_two(int32_t left, int32_t right, Buffers& buffers) const;
  [[nodiscard]] bool stay_two(int32_t left, int32_t right, uint32_t before_rule) const noexcept;

  const MergeTable& merges_;
  std::vector<Token> tokens_;  // by id
  ByteTrie trie_;              // of the tokens that merges end in
};

}  // namespace sesame
