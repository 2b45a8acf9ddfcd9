#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace sesame {

/// A bounded cache from words of up to 15 bytes to up to 3 ids, two places for each hash: the word that was put last
/// goes first, the other place keeps the one before. For one thread and one tokenizer.
class PieceCache {
 public:
  static constexpr size_t max_word = 15;
  static constexpr size_t max_ids = 3;

  struct Key {
    uint64_t low;
    uint64_t high;  // the last byte holds the length, so that no key of a word is zero
  };
  struct alignas(32) Entry {
    Key key{};
    std::array<int32_t, max_ids> ids{};
    uint32_t count = 0;
  };

  PieceCache() : sets_(size_t{1} << bits) {}

  /// The key of a word of 1 to 15 bytes; 16 bytes are read.
  static Key key(const char* word, size_t size) {
    Key key;
    std::memcpy(&key, word, sizeof key);
    const uint64_t tag = uint64_t{size} << 56;
    if (size <= 8) return {key.low & (~uint64_t{0} >> (64 - 8 * size)), tag};
    return {key.low, (key.high & (~uint64_t{0} >> (128 - 8 * size))) | tag};
  }

  static uint32_t place(Key key) {
    const uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15ull)) * 0xD6E8FEB86659FD93ull;
    return static_cast<uint32_t>((mixed ^ (mixed << 29)) >> (64 - bits));
  }

  void prefetch(uint32_t place) const { __builtin_prefetch(&sets_[place]); }

  /// The entry of a word, or null.
  [[nodiscard]] const Entry* find(uint32_t place, Key key) const {
    const Set& set = sets_[place];
    if (set[0].key.low == key.low && set[0].key.high == key.high) return &set[0];
    if (set[1].key.low == key.low && set[1].key.high == key.high) return &set[1];
    return nullptr;
  }

  void put(uint32_t place, Key key, std::span<const int32_t> ids) {
    Set& set = sets_[place];
    set[1] = set[0];
    set[0].key = key;
    set[0].count = static_cast<uint32_t>(ids.size());
    for (size_t i = 0; i < ids.size(); ++i) set[0].ids[i] = ids[i];
  }

 private:
  struct alignas(64) Set : std::array<Entry, 2> {};
  static constexpr int bits = 14;

  std::vector<Set> sets_;
};

}  // namespace sesame
