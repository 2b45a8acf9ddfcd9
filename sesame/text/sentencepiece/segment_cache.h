#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

#include "sesame/base/huge_buffer.h"

namespace sesame {

/// The few ids that a short text becomes: up to six where all ids of the vocabulary fit in 16 bits, else up to three.
struct SegmentIds {
  static constexpr size_t size = 12;
  template <typename Id>
  static constexpr size_t most = size / sizeof(Id);
  static constexpr size_t most_of_any = most<uint16_t>;

  std::array<uint8_t, size> packed{};  // of one id the last four bytes hold its score
  uint8_t count = 0;
  bool begins_unknown = false;
  bool ends_unknown = false;
  uint8_t limit = 0;  // see ScoreRange; below the least one: variants of the key may have entries

  /// Writes most<Id> ids from `first` on, of which `count` - `first` hold something.
  template <typename Id>
  void write(size_t first, int32_t* out) const {
    std::array<Id, most<Id>> ids;
    // Behind the ids lie bytes that are there to be read.
    std::memcpy(&ids, reinterpret_cast<const char*>(this) + first * sizeof(Id), sizeof ids);
    for (size_t i = 0; i < ids.size(); ++i) out[i] = static_cast<int32_t>(ids[i]);
  }
  /// Takes ids where there is room for them.
  template <typename Id>
  bool take(std::span<const int32_t> ids) {
    if (ids.size() > most<Id>) return false;
    std::array<Id, most<Id>> narrow{};
    std::transform(ids.begin(), ids.end(), narrow.begin(), [](int32_t id) { return static_cast<Id>(id); });
    std::memcpy(packed.data(), &narrow, sizeof narrow);
    count = static_cast<uint8_t>(ids.size());
    return true;
  }

  [[nodiscard]] float score() const {
    float score = 0;
    std::memcpy(&score, packed.data() + size - sizeof score, sizeof score);
    return score;
  }
  void set_score(float score) { std::memcpy(packed.data() + size - sizeof score, &score, sizeof score); }
};

/// A bounded cache from up to 15 bytes of text to few ids, two places a hash. What is new takes the second, and the
/// first once it is found again: most words of a text come once, and would drive out those that come often. For one
/// thread and one model.
class SegmentCache {
 public:
  static constexpr size_t max_bytes = 15;

  struct Key {
    uint64_t low = 0;
    uint64_t high = 0;  // the last byte holds the length, so that no key of a text is zero
    /// Another key of the same text, for each number from 1 to 15.
    [[nodiscard]] Key variant(uint8_t number) const { return {low, high | (uint64_t{number} << 60)}; }
  };

  struct alignas(32) Entry : SegmentIds {
    Key key;
  };

  /// A stretch of a text that is looked up.
  struct Segment {
    size_t begin;
    size_t end;
    Key key;  // none for a stretch that is too long
    uint32_t place;
  };

  /// 2^`bits` places of 64 bytes, `bits` from 1 to 32.
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
    text = text.substr(0, max_bytes);
    std::copy(text.begin(), text.end(), padded.begin());
    return key_of_readable(padded.data(), text.size());
  }

  [[nodiscard]] uint32_t place_of(const Key& key) const {
    const uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15ull)) * 0xD6E8FEB86659FD93ull;
    return static_cast<uint32_t>((mixed ^ (mixed << 29)) >> shift_);
  }
  void prefetch(uint32_t place) const { __builtin_prefetch(&sets_[place]); }

  /// The entry of a text, or null; valid until the next call of find or put.
  [[nodiscard]] const Entry* find(const Key& key) const { return find(key, place_of(key)); }
  [[nodiscard]] const Entry* find(const Key& key, uint32_t place) const {
    Set& set = sets_[place];
    if (equal(set.first.key, key)) return &set.first;
    if (!equal(set.second.key, key)) return nullptr;
    std::swap(set.first, set.second);
    return &set.first;
  }

  void put(const Entry& entry) {
    Set& set = sets_[place_of(entry.key)];
    if (equal(set.first.key, entry.key) || set.first.key.high == 0) {
      set.first = entry;
    } else {
      set.second = entry;
    }
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
