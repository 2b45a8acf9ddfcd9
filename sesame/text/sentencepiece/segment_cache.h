#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "sesame/base/huge_buffer.h"

namespace sesame {

/// A bounded cache from up to 15 bytes of text to up to 3 ids, two places a hash: what is put takes the first, what was
/// there the second. For one thread and one model.
class SegmentCache {
 public:
  static constexpr size_t max_bytes = 15;
  static constexpr size_t max_ids = 3;

  struct Key {
    uint64_t low = 0;
    uint64_t high = 0;  // the last byte holds the length, so that no key of a text is zero
    /// Another key of the same text, for each number from 1 to 15.
    [[nodiscard]] Key variant(uint8_t number) const { return {low, high | (uint64_t{number} << 60)}; }
  };

  struct alignas(32) Entry {
    Key key;
    std::array<int32_t, max_ids> ids{};  // of one id the last place holds its score
    uint8_t count = 0;
    bool begins_unknown = false;
    bool ends_unknown = false;
    uint8_t limit = 0;  // see ScoreRange; below the least one: variants of the key may have entries
  };

  /// A stretch of a text that is looked up.
  struct Segment {
    size_t begin;
    size_t end;
    Key key;  // none for a stretch that is too long
    uint32_t place;
  };

  /// 2^`bits` places of 64 bytes.
  explicit SegmentCache(int bits)
      : memory_((size_t{1} << bits) * sizeof(Set)), sets_(memory_.as<Set>()), shift_(64 - bits) {}

  /// Of `size` <= 15 bytes, 16 bytes of which can be read.
  static Key key_of_readable(const char* text, size_t size) {
    Key key;
    std::memcpy(&key, text, sizeof key);
    constexpr uint64_t all = ~uint64_t{0};
    const uint64_t tag = uint64_t{size} << 56;
    if (size < 8) return {key.low & ~(all << (8 * size)), tag};
    return {key.low, (key.high & ~(all << (8 * (size - 8)))) | tag};
  }
  static Key key_of(std::string_view text) {
    std::array<char, 16> padded{};
    std::memcpy(padded.data(), text.data(), text.size());
    return key_of_readable(padded.data(), text.size());
  }

  [[nodiscard]] uint32_t place_of(const Key& key) const {
    const uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15ull)) * 0xD6E8FEB86659FD93ull;
    return static_cast<uint32_t>((mixed ^ (mixed << 29)) >> shift_);
  }
  void prefetch(uint32_t place) const { __builtin_prefetch(&sets_[place]); }

  /// The entry of a text, or null.
  [[nodiscard]] const Entry* find(const Key& key) const { return find(key, place_of(key)); }
  [[nodiscard]] const Entry* find(const Key& key, uint32_t place) const {
    const Set& set = sets_[place];
    if (equal(set.first.key, key)) return &set.first;
    if (equal(set.second.key, key)) return &set.second;
    return nullptr;
  }

  void put(const Entry& entry) {
    Set& set = sets_[place_of(entry.key)];
    if (!equal(set.first.key, entry.key)) set.second = set.first;
    set.first = entry;
  }

 private:
  struct alignas(64) Set {
    Entry first;
    Entry second;
  };

  static bool equal(const Key& a, const Key& b) { return ((a.low ^ b.low) | (a.high ^ b.high)) == 0; }

  HugeBuffer memory_;  // zeros are empty entries
  std::span<Set> sets_;
  int shift_;
};

}  // namespace sesame
