#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace sesame {

/// A bounded cache from short words to their token ids, one place a word: a word that hashes to the place of another
/// replaces it. Words longer than 15 bytes or of more than 7 tokens are not kept. For one thread and one tokenizer.
class WordCache {
 public:
  struct Key {
    uint64_t low;
    uint64_t high;  // the last byte holds the length, so that no key of a word is zero
  };
  static constexpr size_t max_word = 15;
  static constexpr size_t max_ids = 7;

  WordCache() : entries_(size_t{1} << bits) {}

  /// The key of a word of 1 to 15 bytes, read in words of the machine where it is long enough.
  static Key key(std::string_view word) {
    const auto load = [&](auto type, size_t at) {
      decltype(type) value;
      std::memcpy(&value, word.data() + at, sizeof value);
      return uint64_t{value};
    };
    const size_t size = word.size();
    const uint64_t tag = uint64_t{size} << 56;
    if (size > 8) return {load(uint64_t{}, 0), (load(uint64_t{}, size - 8) >> (8 * (16 - size))) | tag};
    if (size == 8) return {load(uint64_t{}, 0), tag};
    if (size >= 4) return {load(uint32_t{}, 0) | (load(uint32_t{}, size - 4) << (8 * (size - 4))), tag};
    if (size >= 2) return {load(uint16_t{}, 0) | (load(uint16_t{}, size - 2) << (8 * (size - 2))), tag};
    return {load(uint8_t{}, 0), tag};
  }

  /// The ids of a word, empty where it is not in the cache.
  [[nodiscard]] std::span<const int32_t> find(Key key) const {
    const Entry& entry = entries_[place(key)];
    if (entry.key.low != key.low || entry.key.high != key.high) return {};
    return {entry.ids.data(), entry.count};
  }

  void put(Key key, std::span<const int32_t> ids) {
    if (ids.empty() || ids.size() > max_ids) return;
    Entry& entry = entries_[place(key)];
    entry.key = key;
    entry.count = static_cast<uint32_t>(ids.size());
    std::copy(ids.begin(), ids.end(), entry.ids.begin());
  }

  void clear() { std::fill(entries_.begin(), entries_.end(), Entry{}); }

 private:
  struct Entry {
    Key key{};
    std::array<int32_t, max_ids> ids{};
    uint32_t count = 0;
  };
  static constexpr int bits = 15;

  static size_t place(Key key) {
    const uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15ull)) * 0xD6E8FEB86659FD93ull;
    return static_cast<size_t>((mixed ^ (mixed << 29)) >> (64 - bits));
  }

  std::vector<Entry> entries_;
};

}  // namespace sesame
