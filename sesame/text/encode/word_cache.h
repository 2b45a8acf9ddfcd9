#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/base/huge_buffer.h"

namespace sesame {

/// A bounded cache from words of up to 15 bytes to their token ids, of which it keeps up to four: a word and its ids
/// are 32 bytes, and the two places that a word may take share a cache line. The first word to come to a line stays,
/// later ones take turns at the second place: frequent words come early. Grows with what it holds up to 8 MiB. For one
/// thread and one tokenizer.
class WordCache {
 public:
  struct Key {
    uint64_t low;
    uint64_t high;  // the last byte holds the length, so that no key of a word is zero
  };
  static constexpr size_t max_word = 15;
  static constexpr size_t max_ids = 4;

  static constexpr int count_shift = 60;
  struct Entry {
    uint64_t low;
    uint64_t high;  // the upper four bits hold the number of ids
    std::array<int32_t, max_ids> ids;

    [[nodiscard]] bool holds(Key key) const noexcept {
      return (((high ^ key.high) << (64 - count_shift)) | (low ^ key.low)) == 0;
    }
    /// 1 to 4; 0 in an entry of no word.
    [[nodiscard]] size_t count() const noexcept { return static_cast<size_t>(high >> count_shift); }
  };

  WordCache() : memory_(max_lines * sizeof(Line)), mask_(first_lines - 1) {}

  /// The key of a word of 1 to 15 bytes; longer ones get one that find never finds. 16 bytes must be readable at
  /// `word`.
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

  /// Writes four ids at `ids`, of which so many as it returns are the word's; 0 where the word is not in the cache.
  size_t copy(Key key, uint64_t hash, int32_t* ids) const noexcept {
    const Line& line = lines()[hash & mask_];
    const bool first = line[0].holds(key);
    const bool second = line[1].holds(key);
    const Entry& entry = line[second ? 1 : 0];
    std::memcpy(ids, entry.ids.data(), sizeof entry.ids);
    return first || second ? entry.count() : 0;
  }

  /// The entry of a word, or one of no word; until the next put.
  [[nodiscard]] const Entry& look_up(Key key, uint64_t hash) const noexcept {
    const Line& line = lines()[hash & mask_];
    const bool second = line[1].holds(key);
    const Entry& entry = line[second ? 1 : 0];
    return second || line[0].holds(key) ? entry : no_word;
  }

  /// The ids of a word, empty where it is not in the cache; until the next put.
  [[nodiscard]] std::span<const int32_t> find(Key key) const noexcept {
    const Line& line = lines()[hash(key) & mask_];
    for (const Entry& entry : line) {
      if (entry.holds(key)) return {entry.ids.data(), entry.count()};
    }
    return {};
  }

  /// How many words were put: as long as it stays the same, entries do.
  [[nodiscard]] uint64_t puts() const noexcept { return puts_; }

  /// Keeps the ids of a word, if they are one to four.
  void put(Key key, std::span<const int32_t> ids) {
    if (ids.empty() || ids.size() > max_ids) return;
    if (look_up(key, hash(key)).count() != 0) return;
    if (words_ > mask_ && mask_ + 1 < max_lines) grow();
    ++puts_;
    Entry entry{key.low, key.high | (uint64_t{ids.size()} << count_shift), {}};
    std::copy(ids.begin(), ids.end(), entry.ids.begin());
    insert(entry);
  }

  void clear() noexcept {
    std::fill(lines(), lines() + mask_ + 1, Line{});
    words_ = 0;
  }

 private:
  using Line = std::array<Entry, 2>;
  static_assert(sizeof(Line) == 64);
  static constexpr size_t first_lines = size_t{1} << 11;
  static constexpr size_t max_lines = size_t{1} << 18;

  static constexpr Entry no_word{};

  struct Mask {
    uint64_t low;
    uint64_t high;
    uint64_t tag;
  };
  static constexpr std::array<Mask, max_word + 2> make_masks() {
    std::array<Mask, max_word + 2> masks{};
    for (uint64_t size = 0; size <= max_word; ++size) {
      masks[size].low = size >= 8 ? ~uint64_t{0} : (uint64_t{1} << (8 * size)) - 1;
      masks[size].high = size <= 8 ? 0 : (uint64_t{1} << (8 * (size - 8))) - 1;
      masks[size].tag = size << 56;
    }
    // The length of a free entry, but not its bytes.
    masks[max_word + 1].tag = uint64_t{1} << 55;
    return masks;
  }
  static const std::array<Mask, max_word + 2> masks;

  [[nodiscard]] Line* lines() const noexcept { return reinterpret_cast<Line*>(memory_.data()); }

  void insert(const Entry& entry) noexcept {
    Line& line = lines()[hash({entry.low, entry.high & ~(uint64_t{15} << count_shift)}) & mask_];
    Entry& place = line[line[0].count() == 0 ? 0 : 1];
    words_ += place.count() == 0 ? 1 : 0;
    place = entry;
  }

  void grow() {
    const std::vector<Line> old(lines(), lines() + mask_ + 1);
    clear();
    mask_ = std::min(4 * (mask_ + 1), max_lines) - 1;
    for (size_t place = 0; place < 2; ++place) {
      for (const Line& line : old) {
        if (line[place].count() != 0) insert(line[place]);
      }
    }
  }

  HugeBuffer memory_;  // zeros: free entries
  size_t mask_;
  size_t words_ = 0;
  uint64_t puts_ = 0;
};

inline constexpr std::array<WordCache::Mask, WordCache::max_word + 2> WordCache::masks = WordCache::make_masks();

}  // namespace sesame
