#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "sesame/base/hash.h"

namespace sesame {

/// A word ready to be looked up. Words of at most 16 bytes, nearly all there are, are two integers that one compare
/// each tells apart; longer ones are known by hash, size and bytes.
struct WordKey {
  static constexpr size_t kShort = 16;

  uint64_t low = 0;   // bytes 0 to 7, zeros behind the end; of a long word its hash
  uint64_t high = 0;  // bytes 8 to 15
  uint64_t hash = 0;  // every bit depends on every byte
  const char* data = nullptr;
  uint32_t size = 0;

  [[nodiscard]] bool is_short() const noexcept { return size <= kShort; }
  [[nodiscard]] std::string_view word() const noexcept { return {data, size}; }

  /// Reads no byte behind the word.
  static WordKey of(std::string_view word) noexcept;
  /// The same, faster; 16 bytes must be readable at `data`.
  static WordKey of_padded(const char* data, uint32_t size) noexcept;
  /// Of bytes [begin, begin + size) of a text.
  static WordKey in_text(std::string_view text, size_t begin, uint32_t size) noexcept;

  static uint64_t hash_of_short(uint64_t low, uint64_t high, uint32_t size) noexcept;
};

/// Two multiplications by odd constants, the second one of 64 x 64 bits and folded, as in wyhash (Wang Yi).
inline uint64_t WordKey::hash_of_short(uint64_t low, uint64_t high, uint32_t size) noexcept {
  __extension__ using Product = unsigned __int128;
  const uint64_t mixed = low ^ std::rotl((high ^ size) * 0x9E3779B97F4A7C15, 32);
  const Product product = static_cast<Product>(mixed) * 0xE7037ED1A0B428DB;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline WordKey WordKey::of_padded(const char* data, uint32_t size) noexcept {
  WordKey key;
  key.data = data;
  key.size = size;
  if (size > kShort) {
    key.low = key.hash = xxh3(key.word());
    return key;
  }
  constexpr uint64_t kAll = ~uint64_t{0};
  const uint32_t bits = size * 8;
  std::memcpy(&key.low, data, sizeof key.low);
  std::memcpy(&key.high, data + 8, sizeof key.high);
  key.low &= size < 8 ? ~(kAll << (bits & 63)) : kAll;
  key.high &= size <= 8 ? 0 : kAll >> ((128 - bits) & 63);
  key.hash = hash_of_short(key.low, key.high, size);
  return key;
}

inline WordKey WordKey::of(std::string_view word) noexcept {
  if (word.size() > kShort) return of_padded(word.data(), static_cast<uint32_t>(word.size()));
  char padded[kShort] = {};
  if (!word.empty()) std::memcpy(padded, word.data(), word.size());
  WordKey key = of_padded(padded, static_cast<uint32_t>(word.size()));
  key.data = word.data();
  return key;
}

inline WordKey WordKey::in_text(std::string_view text, size_t begin, uint32_t size) noexcept {
  return begin + kShort <= text.size() ? of_padded(text.data() + begin, size) : of(text.substr(begin, size));
}

}  // namespace sesame
