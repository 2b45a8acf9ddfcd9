#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace sesame {

/// A bounded cache from up to 15 bytes of text to up to 8 ids, one place a hash: what comes later takes it. For one
/// thread and one model.
class SegmentCache {
 public:
  static constexpr size_t max_bytes = 15;
  static constexpr size_t max_ids = 8;

  struct Key {
    uint64_t low = 0;
    uint64_t high = 0;  // the last byte holds the length, so that no key of a text is zero
  };

  struct alignas(64) Entry {
    Key key;
    double score = 0;  // of the only piece
    float limit = 0;   // the ids hold while the sum of scores before is smaller in absolute value
    uint8_t count = 0;
    bool one_piece = false;  // else every id is a piece
    bool begins_unknown = false;
    bool ends_unknown = false;
    std::array<int32_t, max_ids> ids{};
  };
  static_assert(sizeof(Entry) == 64);

  SegmentCache() : entries_(size_t{1} << bits) {}

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

  /// The entry of a text, if its key is equal; else the one that a new text takes.
  [[nodiscard]] Entry& at(const Key& key) { return entries_[place(key)]; }

  static bool holds(const Entry& entry, const Key& key) {
    return ((entry.key.low ^ key.low) | (entry.key.high ^ key.high)) == 0;
  }

 private:
  static constexpr int bits = 14;

  static size_t place(const Key& key) {
    const uint64_t mixed = (key.low ^ (key.high * 0x9E3779B97F4A7C15ull)) * 0xD6E8FEB86659FD93ull;
    return static_cast<size_t>((mixed ^ (mixed << 29)) >> (64 - bits));
  }

  std::vector<Entry> entries_;
};

}  // namespace sesame
