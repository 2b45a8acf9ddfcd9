#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "sesame/text/sentencepiece/segment_cache.h"

namespace sesame {

/// Cuts a text into words: a run of separators, if a word begins with one, and what follows up to the next separator.
/// Looking words up in a cache waits for memory, so that they come in batches whose places in it have been asked for.
class WordReader {
 public:
  using Word = SegmentCache::Segment;

  /// Spaces separate, and another ASCII character may.
  explicit WordReader(std::string_view text, char separator = ' ')
      : text_(text),
        separator_(ones * static_cast<uint8_t>(separator)),
        tail_begin_(text.size() - std::min(text.size(), block)) {
    tail_.fill(' ');
    std::memcpy(tail_.data(), text.data() + tail_begin_, text.size() - tail_begin_);
  }

  /// The end of the word at `begin`.
  [[nodiscard]] size_t word_end(size_t begin) const {
    const auto next = [&](size_t place, bool separates) {
      while (place < text_.size()) {
        const uint32_t found = separators_at(bytes_at(place)) ^ (separates ? 0 : 0xFFFF);
        if (found != 0) return std::min(place + static_cast<size_t>(std::countr_zero(found)), text_.size());
        place += block;
      }
      return text_.size();
    };
    return next(next(begin, false), true);
  }

  /// The next words from `begin` < size of the text on, at least one; valid until the next call.
  std::span<const Word> read(size_t begin, const SegmentCache& cache) {
    size_t count = 0;
    for (; count < words_.size() && begin < text_.size(); ++count) {
      const char* const bytes = bytes_at(begin);
      const uint32_t separators = separators_at(bytes);
      const uint32_t rest = separators & (separators + 1);  // without the run that the word begins with
      Word& word = words_[count];
      if (rest != 0) {
        const auto size = static_cast<size_t>(std::countr_zero(rest));
        word = {begin, begin + size, SegmentCache::key_of_readable(bytes, size), 0};
        word.place = cache.place_of(word.key);
        cache.prefetch(word.place);
      } else {
        word = {begin, word_end(begin), {}, 0};
      }
      begin = word.end;
    }
    return {words_.data(), count};
  }

 private:
  static constexpr size_t block = 16;
  static constexpr uint64_t ones = 0x0101010101010101;

  /// The block from a place on; behind the text spaces follow.
  [[nodiscard]] const char* bytes_at(size_t place) const {
    return place + block <= text_.size() ? text_.data() + place : tail_.data() + (place - tail_begin_);
  }

  /// The separators of a block, a bit each.
  [[nodiscard]] uint32_t separators_at(const char* bytes) const {
    return separators_of_8(bytes) | (separators_of_8(bytes + block / 2) << 8);
  }
  /// Bytes that are equal to a separator have their upper bit left, which a multiplication gathers.
  [[nodiscard]] uint32_t separators_of_8(const char* bytes) const {
    uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    const uint64_t equal = (zeros_of(word ^ (ones * ' ')) | zeros_of(word ^ separator_)) >> 7;
    return static_cast<uint32_t>((equal * 0x0102040810204080) >> 56);
  }
  /// The upper bits of the bytes that are zero.
  static uint64_t zeros_of(uint64_t word) {
    constexpr uint64_t low_bits = 0x7F * ones;
    return ~(((word & low_bits) + low_bits) | word | low_bits);
  }

  std::string_view text_;
  uint64_t separator_;  // in every byte
  size_t tail_begin_;
  std::array<char, 3 * block> tail_;
  std::array<Word, 32> words_;
};

}  // namespace sesame
