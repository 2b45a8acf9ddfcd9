#include "sesame/text/words/word_table.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sesame/base/hash.h"

namespace sesame {
namespace {

constexpr size_t first_places = 1 << 12;
constexpr size_t block_size = 1 << 20;

}  // namespace

WordTable::WordTable() : entries_(first_places) {}

void WordTable::add(std::string_view word, uint64_t count) {
  const uint64_t hash = xxh3(word);
  const size_t mask = entries_.size() - 1;
  size_t i = hash & mask;
  for (; entries_[i].data != nullptr; i = (i + 1) & mask) {
    if (entries_[i].hash == hash && entries_[i].word() == word) {
      entries_[i].count += count;
      return;
    }
  }
  entries_[i] = {keep(word), word.size(), hash, count};
  if (++size_ * 2 > entries_.size()) grow();
}

void WordTable::grow() {
  std::vector<Entry> old(entries_.size() * 2);
  old.swap(entries_);
  const size_t mask = entries_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.data == nullptr) continue;
    size_t i = entry.hash & mask;
    while (entries_[i].data != nullptr) i = (i + 1) & mask;
    entries_[i] = entry;
  }
}

const char* WordTable::keep(std::string_view word) {
  if (word.size() > block_left_) {
    const size_t size = std::max(block_size, word.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    block_ = blocks_.back().get();
    block_left_ = size;
  }
  char* const place = block_;
  std::memcpy(place, word.data(), word.size());
  block_ += word.size();
  block_left_ -= word.size();
  return place;
}

}  // namespace sesame
