#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/base/huge_buffer.h"
#include "sesame/text/words/word_key.h"

namespace sesame {

/// A number for each word: open addressing in the order of the hashes. Words of up to 16 bytes lie in the entries
/// themselves, two entries to a cache line, so that most look-ups touch one line of memory.
class WordMap {
 public:
  struct alignas(32) Entry {
    uint64_t low;  // and high: the bytes of a short word; of a long one its hash, and where its bytes are
    uint64_t high;
    uint64_t value;
    uint32_t size;  // 0: free
    uint32_t reserved;

    [[nodiscard]] const char* data() const noexcept {
      return size <= WordKey::kShort ? reinterpret_cast<const char*>(&low) : std::bit_cast<const char*>(high);
    }
    [[nodiscard]] std::string_view word() const noexcept { return {data(), size}; }
    [[nodiscard]] WordKey key() const noexcept { return {low, high, hash(), data(), size}; }
    [[nodiscard]] uint64_t hash() const noexcept {
      return size <= WordKey::kShort ? WordKey::hash_of_short(low, high, size) : low;
    }
  };

  /// Room for `words` words before it has to grow. `same_bits`: the upper bits of the hash that all words share.
  explicit WordMap(size_t words = 0, int same_bits = 0);

  void prefetch(const WordKey& key) const noexcept { __builtin_prefetch(&entries_[place_of(key.hash)]); }

  /// The entry of a word, which has at least one byte, or the free one where it belongs.
  [[nodiscard]] Entry* find(const WordKey& key) noexcept { return const_cast<Entry*>(std::as_const(*this).find(key)); }
  [[nodiscard]] const Entry* find(const WordKey& key) const noexcept;
  /// Makes a free entry that find() has returned the word's, with value 0; only while !full(). Invalidates no entry.
  void insert(Entry& entry, const WordKey& key);
  /// The value of a word, 0 if it is new. May grow, which invalidates entries.
  uint64_t& operator[](const WordKey& key);

  [[nodiscard]] bool full() const noexcept { return size_ >= limit_; }
  void grow();
  void clear();

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] uint64_t memory_bytes() const noexcept { return entries_.size() * sizeof(Entry) + long_bytes_; }
  /// All entries, free ones included.
  [[nodiscard]] std::span<const Entry> entries() const noexcept { return entries_; }

  /// Calls f(entry) for the words whose hash lies in part `part` of `parts` (a power of two) equal ranges. For maps
  /// without same bits.
  template <typename F>
  void for_each_of_part(size_t part, size_t parts, F&& f) const;

 private:
  [[nodiscard]] size_t place_of(uint64_t hash) const noexcept { return (hash << same_bits_) >> shift_; }
  void allocate(size_t capacity);
  const char* keep(std::string_view word);

  std::vector<Entry> small_;  // the entries of a small map; those of a big one lie in huge pages
  HugeBuffer big_;
  std::span<Entry> entries_;
  int same_bits_ = 0;
  int shift_ = 0;  // of a hash without the same bits, to its place
  size_t size_ = 0;
  size_t limit_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;  // bytes of long words
  char* free_ = nullptr;
  size_t free_bytes_ = 0;
  uint64_t long_bytes_ = 0;
};

inline const WordMap::Entry* WordMap::find(const WordKey& key) const noexcept {
  const Entry* const entries = entries_.data();
  const size_t mask = entries_.size() - 1;
  for (size_t i = place_of(key.hash);; i = (i + 1) & mask) {
    const Entry& entry = entries[i];
    const uint64_t difference = (entry.low ^ key.low) | (entry.size ^ key.size);
    if ((difference | (entry.high ^ key.high)) == 0 || entry.size == 0) return &entry;
    if (!key.is_short() && difference == 0 && entry.word() == key.word()) return &entry;
  }
}

template <typename F>
void WordMap::for_each_of_part(size_t part, size_t parts, F&& f) const {
  if (parts == 1) {
    for (const Entry& entry : entries_)
      if (entry.size != 0) f(entry);
    return;
  }
  const int part_shift = 64 - std::countr_zero(parts);
  const size_t mask = entries_.size() - 1;
  const size_t begin = (static_cast<uint64_t>(part) << part_shift) >> shift_;
  const size_t size = entries_.size() / parts;
  // A word that found its place taken lies behind it, at most up to the next free one, possibly in a later part.
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[(begin + i) & mask];
    if (entry.size == 0) {
      if (i >= size) return;
    } else if (entry.hash() >> part_shift == part) {
      f(entry);
    }
  }
}

}  // namespace sesame
