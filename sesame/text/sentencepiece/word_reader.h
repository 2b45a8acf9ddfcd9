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

/// Cuts a text into words: a run of spaces, if a word begins with one, and what follows up to the next space. Looking
/// words up in a cache waits for memory, so that they come in batches whose places in it have been asked for.
class WordReader {
 public:
  struct Word {
    size_t begin;
    size_t end;
    SegmentCache::Key key;  // none for a word that is too long for the cache
    uint32_t place;
  };

  explicit WordReader(std::string_view text) : text_(text), tail_begin_(text.size() - std::min(text.size(), block)) {
    tail_.fill(' ');
    std::memcpy(tail_.data(), text.data() + tail_begin_, text.size() - tail_begin_);
  }

  /// The end of the word at `begin`.
  static size_t word_end(std::string_view text, size_t begin) {
    const size_t first = text.find_first_not_of(' ', begin);
    const size_t end = first == std::string_view::npos ? first : text.find(' ', first);
    return std::min(end, text.size());
  }

  /// The next words from `begin` < size of the text on, at least one; valid until the next call.
  std::span<const Word> read(size_t begin, const SegmentCache& cache) {
    size_t count = 0;
    for (; count < words_.size() && begin < text_.size(); ++count) {
      // Behind the text spaces follow.
      const bool readable = begin + block <= text_.size();
      const char* const bytes = readable ? text_.data() + begin : tail_.data() + (begin - tail_begin_);
      const uint32_t spaces = spaces_of(bytes) | (spaces_of(bytes + block / 2) << 8);
      const uint32_t rest = spaces & (spaces + 1);  // without the run that the word begins with
      Word& word = words_[count];
      if (rest != 0) {
        const auto size = static_cast<size_t>(std::countr_zero(rest));
        word = {begin, begin + size, SegmentCache::key_of_readable(bytes, size), 0};
        word.place = cache.place_of(word.key);
        cache.prefetch(word.place);
      } else {
        word = {begin, word_end(text_, begin), {}, 0};
      }
      begin = word.end;
    }
    return {words_.data(), count};
  }

 private:
  static constexpr size_t block = 16;

  /// The spaces among 8 bytes, a bit each: bytes that are equal to it have their upper bit left, which a multiplication
  /// gathers.
  static uint32_t spaces_of(const char* bytes) {
    constexpr uint64_t ones = 0x0101010101010101;
    constexpr uint64_t low_bits = 0x7F * ones;
    uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    word ^= ones * ' ';
    const uint64_t equal = ~(((word & low_bits) + low_bits) | word | low_bits) >> 7;
    return static_cast<uint32_t>((equal * 0x0102040810204080) >> 56);
  }

  std::string_view text_;
  size_t tail_begin_;
  std::array<char, 3 * block> tail_;
  std::array<Word, 32> words_;
};

}  // namespace sesame
