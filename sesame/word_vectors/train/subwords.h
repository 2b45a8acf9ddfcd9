#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/words/vocabulary.h"

namespace sesame {

/// Which character n-grams a word has, and in which bucket each lies.
struct SubwordShape {
  int64_t min_n = 3;
  int64_t max_n = 6;
  int64_t buckets = 2'000'000;

  bool operator==(const SubwordShape&) const = default;
};

/// FNV-1a of 32 bits with every byte sign-extended, as fastText has it.
uint32_t subword_hash(std::string_view bytes) noexcept;

/// Appends the buckets of the n-grams of '<' + word + '>', min_n to max_n UTF-8 characters long, in fastText's order;
/// 1-grams that are a boundary mark alone are left out. "</s>" has none.
void append_subwords(std::string_view word, const SubwordShape& shape, std::vector<int32_t>& buckets);

/// The buckets of every word of a vocabulary.
class SubwordIndex {
 public:
  SubwordIndex() = default;
  SubwordIndex(const Vocabulary& vocabulary, const SubwordShape& shape);
  [[nodiscard]] std::span<const int32_t> of(int32_t word) const noexcept {
    return std::span(buckets_).subspan(offsets_[static_cast<size_t>(word)],
                                       offsets_[static_cast<size_t>(word) + 1] - offsets_[static_cast<size_t>(word)]);
  }

 private:
  std::vector<int32_t> buckets_;
  std::vector<size_t> offsets_{0};
};

}  // namespace sesame
