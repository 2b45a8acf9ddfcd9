#include "sesame/word_vectors/files/vector_collector.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "sesame/base/error.h"
#include "sesame/text/words/word_key.h"

namespace sesame {
namespace {

/// Words that room is made for at once: what is expected may be far off, and this memory is touched.
constexpr int64_t kMostWordRoom = int64_t{1} << 22;

}  // namespace

VectorCollector::VectorCollector(int64_t dim, int64_t expected)
    : table_(expected, dim), slots_(std::bit_ceil(2 * static_cast<size_t>(std::min(expected, kMostWordRoom)) + 2)) {}

void VectorCollector::start_block(int64_t rows) {
  block_ = size();
  if (block_ + rows > std::numeric_limits<int32_t>::max()) fail("word vectors: more than 2^31 - 1 rows");
  if (block_ + rows <= table_.rows) return;
  RowTable wider(std::max(block_ + rows, 2 * table_.rows), table_.dim);
  if (block_ > 0) std::memcpy(wider.row(0), table_.row(0), static_cast<size_t>(block_ * table_.stride) * sizeof(float));
  table_ = std::move(wider);
}

bool VectorCollector::keep(std::string_view word, int64_t i) {
  if (!add(word)) {
    ++duplicates_;
    return false;
  }
  if (const int64_t place = size() - 1; place != block_ + i) {
    std::memcpy(table_.row(place), block_row(i), static_cast<size_t>(table_.dim) * sizeof(float));
  }
  return true;
}

std::string_view VectorCollector::word(size_t i) const noexcept {
  const uint64_t begin = i == 0 ? 0 : ends_[i - 1];
  return std::string_view(bytes_).substr(begin, ends_[i] - begin);
}

bool VectorCollector::add(std::string_view added) {
  if (2 * (ends_.size() + 1) > slots_.size()) grow_slots();
  const uint64_t hash = WordKey::of(added).hash;
  const size_t mask = slots_.size() - 1;
  size_t slot = hash & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    if ((slots_[slot] ^ hash) >> 32 == 0 && word(static_cast<uint32_t>(slots_[slot]) - 1) == added) return false;
  }
  bytes_ += added;
  ends_.push_back(bytes_.size());
  slots_[slot] = (hash & ~uint64_t{0xFFFFFFFF}) | ends_.size();
  return true;
}

void VectorCollector::grow_slots() {
  slots_.assign(2 * slots_.size(), 0);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < ends_.size(); ++i) {
    const uint64_t hash = WordKey::of(word(i)).hash;
    size_t slot = hash & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = (hash & ~uint64_t{0xFFFFFFFF}) | (i + 1);
  }
}

WordVectors VectorCollector::finish() && {
  slots_ = {};
  std::vector<Vocabulary::Entry> entries(ends_.size());
  for (size_t i = 0; i < ends_.size(); ++i) entries[i] = {word(i), 0};
  WordVectors result;
  result.vocabulary = Vocabulary::in_order(entries);
  table_.rows = size();
  result.vectors = std::move(table_);
  return result;
}

}  // namespace sesame
