#include "sesame/text/words/word_map.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace sesame {
namespace {

constexpr size_t kLeastCapacity = 64;
constexpr size_t kArenaBytes = size_t{64} << 10;

size_t limit_of(size_t capacity) { return capacity / 8 * 5; }

}  // namespace

WordMap::WordMap(size_t words, int same_bits) : same_bits_(same_bits) {
  size_t capacity = kLeastCapacity;
  while (limit_of(capacity) < words) capacity *= 2;
  allocate(capacity);
}

void WordMap::allocate(size_t capacity) {
  const size_t bytes = capacity * sizeof(Entry);
  if (bytes < HugeBuffer::kAlignment) {
    small_.assign(capacity, {});
    entries_ = small_;
  } else {
    big_ = HugeBuffer(bytes);
    entries_ = big_.as<Entry>().first(capacity);
  }
  shift_ = 64 - std::countr_zero(capacity);
  limit_ = limit_of(capacity);
}

void WordMap::insert(Entry& entry, const WordKey& key) {
  entry = {key.low, key.is_short() ? key.high : std::bit_cast<uint64_t>(keep(key.word())), 0, key.size, 0};
  ++size_;
}

uint64_t& WordMap::operator[](const WordKey& key) {
  if (full()) grow();
  Entry* const entry = find(key);
  if (entry->size == 0) insert(*entry, key);
  return entry->value;
}

void WordMap::grow() {
  const std::vector<Entry> old_small = std::exchange(small_, {});
  const HugeBuffer old_big = std::exchange(big_, {});
  const std::span<const Entry> old = entries_;
  allocate(old.size() * 2);
  const size_t mask = entries_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.size == 0) continue;
    size_t i = place_of(entry.hash());
    while (entries_[i].size != 0) i = (i + 1) & mask;
    entries_[i] = entry;
  }
}

void WordMap::clear() {
  std::fill(entries_.begin(), entries_.end(), Entry{});
  size_ = 0;
  blocks_.clear();
  free_ = nullptr;
  free_bytes_ = 0;
  long_bytes_ = 0;
}

const char* WordMap::keep(std::string_view word) {
  if (word.size() > free_bytes_) {
    const size_t size = std::max(kArenaBytes, word.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    free_ = blocks_.back().get();
    free_bytes_ = size;
    long_bytes_ += size;
  }
  char* const place = free_;
  std::memcpy(place, word.data(), word.size());
  free_ += word.size();
  free_bytes_ -= word.size();
  return place;
}

}  // namespace sesame
