#include "sesame/word_vectors/train/subwords.h"

#include <algorithm>
#include <string>

namespace sesame {
namespace {

constexpr uint32_t kFnvOffset = 2166136261u;
constexpr uint32_t kFnvPrime = 16777619u;

/// fastText takes bytes as signed char before it widens them: 0x80..0xFF flip the upper 24 bits too.
uint32_t hash_byte(uint32_t hash, char byte) noexcept {
  return (hash ^ static_cast<uint32_t>(static_cast<int32_t>(static_cast<int8_t>(byte)))) * kFnvPrime;
}

bool is_continuation(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u; }

}  // namespace

uint32_t subword_hash(std::string_view bytes) noexcept {
  uint32_t hash = kFnvOffset;
  for (const char byte : bytes) hash = hash_byte(hash, byte);
  return hash;
}

void append_subwords(std::string_view word, const SubwordShape& shape, std::vector<int32_t>& buckets) {
  if (word == "</s>" || shape.max_n <= 0) return;
  std::string marked;
  marked.reserve(word.size() + 2);
  marked.append("<").append(word).append(">");
  const auto bucket_count = static_cast<uint32_t>(shape.buckets);
  for (size_t start = 0; start < marked.size(); ++start) {
    if (is_continuation(marked[start])) continue;
    uint32_t hash = kFnvOffset;  // of [start, end): longer n-grams go on where shorter ones stopped
    size_t end = start;
    for (int64_t n = 1; n <= shape.max_n && end < marked.size(); ++n) {
      do hash = hash_byte(hash, marked[end++]);
      while (end < marked.size() && is_continuation(marked[end]));
      const bool mark_alone = n == 1 && (start == 0 || end == marked.size());
      if (n >= shape.min_n && !mark_alone) buckets.push_back(static_cast<int32_t>(hash % bucket_count));
    }
  }
}

SubwordIndex::SubwordIndex(const Vocabulary& vocabulary, const SubwordShape& shape) {
  offsets_.reserve(static_cast<size_t>(vocabulary.size()) + 1);
  for (int32_t word = 0; word < vocabulary.size(); ++word) {
    append_subwords(vocabulary.word(word), shape, buckets_);
    offsets_.push_back(buckets_.size());
  }
  buckets_.shrink_to_fit();
}

}  // namespace sesame
