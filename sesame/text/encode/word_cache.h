#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "sesame/base/huge_buffer.h"

namespace sesame {

/// A bounded cache from words of up to 15 bytes to their token ids, as many as the word has bytes at most. A word is 32
/// bytes with up to four ids, which most words have; further ids lie in a ring that the newest ones overwrite. Two
/// words share a cache line, where most look-ups end; a word whose line is full goes to the neighbouring line, and
/// where that is full, too, it takes the second place of its own: frequent words come early, and stay. Grows with what
/// it holds up to 32 MiB and 4 MiB of ids. For one thread and one tokenizer.
class WordCache {
 public:
  struct Key {
    uint64_t low;
    uint64_t high;  // the last byte holds the length, so that no key of a word is zero
  };
  static constexpr size_t max_word = 15;
  /// So many ids have room at what `copy` is given.
  static constexpr size_t room = 16;

  WordCache() : memory_(max_lines * sizeof(Line)), mask_(first_lines - 1) {}

  /// The key of a word of 1 to 15 bytes; longer ones get one that is never found. 16 bytes must be readable at `word`.
  static Key key_of_padded(const char* word, size_t size) noexcept {
    const Mask& mask = masks[std::min(size, max_word + 1)];
    Key key;
    std::memcpy(&key.low, word, sizeof key.low);
    std::memcpy(&key.high, word + sizeof key.low, sizeof key.high);
    return {key.low & mask.low, (key.high & mask.high) | mask.tag};
  }

  /// The same, reading nothing behind the word.
  static Key key(std::string_view word) noexcept {
    char padded[max_word + 1] = {};
    std::memcpy(padded, word.data(), std::min(word.size(), max_word));
    return key_of_padded(padded, word.size());
  }

  static uint64_t hash(Key key) noexcept {
    __extension__ using Product = unsigned __int128;
    const uint64_t mixed = key.low ^ std::rotl(key.high * 0x9E3779B97F4A7C15ull, 32);
    const Product product = static_cast<Product>(mixed) * 0xE7037ED1A0B428DBull;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }

  void prefetch(uint64_t hash) const noexcept { __builtin_prefetch(&lines()[hash & mask_]); }

  /// Writes the ids of a word at `ids`, perhaps other values behind them up to `room`, and returns how many they are;
  /// 0 where the word is not in the cache.
  size_t copy(Key key, uint64_t hash, int32_t* ids) const noexcept {
    const Line& line = lines()[hash & mask_];
    const bool second = line[1].holds(key);
    const Entry& entry = line[second ? 1 : 0];
    std::memcpy(ids, entry.ids.data(), sizeof entry.ids);
    const size_t count = second || line[0].holds(key) ? entry.count() : 0;
    if (count - 1 < line_ids) [[likely]]
      return count;
    return copy_elsewhere(key, hash, ids);
  }

  /// Whether there is room for words that may not come again.
  [[nodiscard]] bool has_room() const noexcept { return words_ < max_lines; }

  /// Keeps the ids of a word.
  void put(Key key, uint64_t hash, std::span<const int32_t> ids);

 private:
  static constexpr int count_shift = 60;  // of an entry
  static constexpr int size_shift = 56;
  static constexpr size_t line_ids = 4;

  struct Entry {
    uint64_t low;
    uint64_t high;  // the upper four bits hold the number of ids
    std::array<int32_t, line_ids> ids;

    [[nodiscard]] bool holds(Key key) const noexcept {
      return (((high ^ key.high) << (64 - count_shift)) | (low ^ key.low)) == 0;
    }
    /// 1 to 15; 0 in an entry of no word.
    [[nodiscard]] size_t count() const noexcept { return static_cast<size_t>(high >> count_shift); }
    [[nodiscard]] Key key() const noexcept { return {low, high & ~(uint64_t{15} << count_shift)}; }
    /// Where in all that was ever written to the ring the ids of more than four begin.
    [[nodiscard]] uint64_t ring_begin() const noexcept {
      uint64_t begin;
      std::memcpy(&begin, ids.data(), sizeof begin);
      return begin;
    }
  };
  using Line = std::array<Entry, 2>;
  static_assert(sizeof(Line) == 64);
  static constexpr size_t first_lines = size_t{1} << 11;
  static constexpr size_t max_lines = size_t{1} << 19;
  static constexpr size_t ring_ids = size_t{1} << 20;

  struct Mask {
    uint64_t low;
    uint64_t high;
    uint64_t tag;
  };
  static constexpr std::array<Mask, max_word + 2> make_masks() {
    std::array<Mask, max_word + 2> made{};
    for (uint64_t size = 0; size <= max_word; ++size) {
      made[size].low = size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
      made[size].high = size <= 8 ? 0 : (uint64_t{1} << (8 * (size - 8))) - 1;
      made[size].tag = size << size_shift;
    }
    // The length of a free entry, but not its bytes.
    made[max_word + 1].tag = uint64_t{1} << 55;
    return made;
  }
  static const std::array<Mask, max_word + 2> masks;

  [[nodiscard]] Line* lines() const noexcept { return reinterpret_cast<Line*>(memory_.data()); }
  /// The place of a word, from the best one on, until `use` returns true.
  template <typename Use>
  Entry* find_place(uint64_t hash, Use use) const noexcept;
  size_t copy_elsewhere(Key key, uint64_t hash, int32_t* ids) const noexcept;
  [[nodiscard]] bool is_overwritten(const Entry& entry) const noexcept;
  [[nodiscard]] bool is_free(const Entry& entry) const noexcept;
  void insert(const Entry& entry, uint64_t hash) noexcept;
  void grow();

  HugeBuffer memory_;  // zeros: free entries
  HugeBuffer ring_;    // none before it is needed
  uint64_t ring_end_ = 0;
  size_t mask_;
  size_t words_ = 0;
};

inline constexpr std::array<WordCache::Mask, WordCache::max_word + 2> WordCache::masks = WordCache::make_masks();

}  // namespace sesame
