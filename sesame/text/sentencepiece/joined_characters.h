#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sesame/text/sentencepiece/character_cache.h"
#include "sesame/text/sentencepiece/character_set.h"
#include "sesame/text/sentencepiece/piece_vocabulary.h"

namespace sesame {

/// Which characters stand side by side in some piece of a vocabulary. Between two that do not, a text can be cut and
/// its parts be segmented one by one: no piece, and so no merge and no path, goes across. A bit for each hash of a
/// pair: now and then it says yes for a pair of no piece.
class JoinedCharacters {
 public:
  explicit JoinedCharacters(const std::vector<PieceVocabulary::Piece>& pieces) {
    std::vector<uint64_t> pairs;
    for (const auto& [text, id] : pieces) {
      for_each_character(text, [&, previous = Character{}](const Character& character) mutable {
        if (character.begin > 0) {
          pairs.push_back(pair_of(previous, character));
          joining_.insert(previous.place);
          joining_.insert(character.place);
        }
        previous = character;
      });
    }
    joining_.insert(0);  // a character without a place of its own may join
    std::sort(pairs.begin(), pairs.end());
    pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
    // 16 bits a pair: one in 16 others is taken for one of them.
    bits_.resize(std::bit_ceil(pairs.size() / 4 + 1));
    shift_ = 64 - std::countr_zero(bits_.size() * 64);
    for (const uint64_t pair : pairs) {
      const uint64_t bit = bit_of(pair);
      bits_[bit / 64] |= uint64_t{1} << (bit % 64);
    }
  }

  /// Calls emit(begin, end, place) for the parts of a text, in order; `place`: that of the only character in a
  /// CharacterCache, or 0.
  template <typename Emit>
  void for_each_part(std::string_view text, Emit&& emit) const {
    size_t begin = 0;
    Character previous;
    for_each_character(text, [&](const Character& character) {
      if (character.begin > 0 && !are_joined(previous, character)) {
        emit(begin, character.begin, previous.begin == begin ? previous.place : 0);
        begin = character.begin;
      }
      previous = character;
    });
    if (begin < text.size()) emit(begin, text.size(), previous.begin == begin ? previous.place : 0);
  }

 private:
  struct Character {
    size_t begin = 0;
    uint32_t bytes = 0;
    uint32_t place = 0;  // see CharacterCache
  };

  template <typename Visit>
  static void for_each_character(std::string_view text, Visit&& visit) {
    for (size_t i = 0; i < text.size();) {
      const size_t length = character_length(text, i);
      const uint32_t bytes = bytes_of(text, i, length);
      visit(Character{i, bytes, CharacterCache::place_of(bytes)});
      i += length;
    }
  }

  static uint64_t pair_of(const Character& first, const Character& second) noexcept {
    return (uint64_t{first.bytes} << 32) | second.bytes;
  }
  [[nodiscard]] bool are_joined(const Character& first, const Character& second) const noexcept {
    if (!joining_.contains(first.place) || !joining_.contains(second.place)) return false;
    const uint64_t bit = bit_of(pair_of(first, second));
    return (bits_[bit / 64] >> (bit % 64) & 1) != 0;
  }

  /// Up to four bytes in one number. Not by a copy of `length` bytes, whose stores the load would wait for.
  static uint32_t bytes_of(std::string_view text, size_t begin, size_t length) {
    const auto byte = [&](size_t k) { return uint32_t{static_cast<uint8_t>(text[begin + k])} << (8 * k); };
    if (begin + 4 <= text.size()) return (byte(0) | byte(1) | byte(2) | byte(3)) & (~uint32_t{0} >> (32 - 8 * length));
    uint32_t bytes = 0;
    for (size_t k = 0; k < length; ++k) bytes |= byte(k);
    return bytes;
  }

  [[nodiscard]] uint64_t bit_of(uint64_t pair) const noexcept {
    const uint64_t mixed = pair * 0x9E3779B97F4A7C15ull;
    return ((mixed ^ (mixed >> 29)) * 0xBF58476D1CE4E5B9ull) >> shift_;
  }

  CharacterSet joining_;  // those that are in any pair, by place
  std::vector<uint64_t> bits_;
  int shift_ = 63;
};

}  // namespace sesame
