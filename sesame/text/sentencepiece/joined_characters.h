#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string_view>
#include <vector>

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
      for_each_pair(text, [&](size_t, uint64_t pair) { pairs.push_back(pair); });
    }
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

  /// Calls emit(begin, end) for the parts of a text, in order.
  template <typename Emit>
  void for_each_part(std::string_view text, Emit&& emit) const {
    size_t begin = 0;
    for_each_pair(text, [&](size_t second, uint64_t pair) {
      const uint64_t bit = bit_of(pair);
      if ((bits_[bit / 64] >> (bit % 64) & 1) != 0) return;
      emit(begin, second);
      begin = second;
    });
    if (begin < text.size()) emit(begin, text.size());
  }

 private:
  /// Calls visit(begin of the second, both in one number) for neighbouring characters.
  template <typename Visit>
  static void for_each_pair(std::string_view text, Visit&& visit) {
    uint32_t previous = 0;
    for (size_t i = 0; i < text.size();) {
      const size_t length = character_length(text, i);
      const uint32_t character = bytes_of(text, i, length);
      if (i > 0) visit(i, (uint64_t{previous} << 32) | character);
      previous = character;
      i += length;
    }
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

  std::vector<uint64_t> bits_;
  int shift_ = 63;
};

}  // namespace sesame
