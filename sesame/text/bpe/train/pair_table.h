#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "sesame/base/huge_buffer.h"
#include "sesame/text/bpe/pair_map.h"

namespace sesame {

/// A pair of neighbouring symbols: how often it occurs, and where its left symbols begin, by rising positions. Places
/// where it does not stand any more are not taken out.
struct PairEntry {
  uint64_t pair_plus_one = 0;  // 0: a free place of the table
  int64_t count = 0;
  uint32_t* positions = nullptr;
  uint32_t size = 0;
  bool done = false;  // merged or refused: not to be looked at until it gets new positions

  [[nodiscard]] uint64_t pair() const noexcept { return pair_plus_one - 1; }
  [[nodiscard]] std::span<uint32_t> places() const noexcept { return {positions, size}; }
};

/// Pairs by key: open addressing, at most half full.
class PairTable {
 public:
  PairTable() { allocate(size_t{1} << 12); }

  [[nodiscard]] PairEntry* find(uint64_t pair) noexcept {
    for (size_t i = place(pair);; i = (i + 1) & mask_) {
      if (entries_[i].pair_plus_one == pair + 1) return &entries_[i];
      if (entries_[i].pair_plus_one == 0) return nullptr;
    }
  }

  /// The entry of a pair, new if it is not there. Only as many as reserve() made room for; moves no entry.
  [[nodiscard]] PairEntry& get_or_add(uint64_t pair) noexcept {
    for (size_t i = place(pair);; i = (i + 1) & mask_) {
      PairEntry& entry = entries_[i];
      if (entry.pair_plus_one == pair + 1) return entry;
      if (entry.pair_plus_one != 0) continue;
      entry.pair_plus_one = pair + 1;
      ++size_;
      return entry;
    }
  }

  void prefetch(uint64_t pair) const noexcept { __builtin_prefetch(&entries_[place(pair)]); }

  /// Room for `more` new pairs. May move all entries.
  void reserve(size_t more) {
    while ((size_ + more) * 2 > entries_.size()) grow();
  }

  [[nodiscard]] size_t size() const noexcept { return size_; }
  /// All entries, free ones included.
  [[nodiscard]] std::span<PairEntry> entries() noexcept { return entries_; }
  [[nodiscard]] uint64_t memory_bytes() const noexcept { return memory_.size(); }

 private:
  [[nodiscard]] size_t place(uint64_t pair) const noexcept {
    return static_cast<size_t>(((pair ^ (pair >> 29)) * 0x9E3779B97F4A7C15) >> shift_);
  }

  void allocate(size_t capacity) {
    memory_ = HugeBuffer(capacity * sizeof(PairEntry));
    entries_ = memory_.as<PairEntry>().first(capacity);
    mask_ = capacity - 1;
    shift_ = 64 - std::countr_zero(capacity);
  }

  void grow() {
    const HugeBuffer old_memory = std::exchange(memory_, {});
    const std::span<const PairEntry> old = entries_;
    allocate(old.size() * 2);
    for (const PairEntry& entry : old) {
      if (entry.pair_plus_one == 0) continue;
      size_t i = place(entry.pair());
      while (entries_[i].pair_plus_one != 0) i = (i + 1) & mask_;
      entries_[i] = entry;
    }
  }

  HugeBuffer memory_;
  std::span<PairEntry> entries_;
  size_t mask_ = 0;
  int shift_ = 0;
  size_t size_ = 0;
};

/// Lists of positions, which stay where they are until the end.
class PositionArena {
 public:
  uint32_t* allocate(size_t size) {
    if (size > free_.size()) {
      block_bytes_ = std::min(block_bytes_ * 2, most_bytes);
      blocks_.emplace_back(std::max(block_bytes_, size * sizeof(uint32_t)));
      free_ = blocks_.back().as<uint32_t>();
      memory_bytes_ += blocks_.back().size();
    }
    uint32_t* const list = free_.data();
    free_ = free_.subspan(size);
    return list;
  }

  [[nodiscard]] uint64_t memory_bytes() const noexcept { return memory_bytes_; }

 private:
  static constexpr size_t most_bytes = size_t{16} << 20;
  size_t block_bytes_ = size_t{32} << 10;
  std::vector<HugeBuffer> blocks_;
  std::span<uint32_t> free_;
  uint64_t memory_bytes_ = 0;
};

}  // namespace sesame
