#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/train/subwords.h"
#include "sesame/word_vectors/train/tables.h"
#include "sesame/word_vectors/words/vocabulary.h"

namespace sesame {

/// A vector for each word of a vocabulary, and for words outside it where the model has character n-grams.
/// Move-only: the matrix is big.
struct WordVectors {
  Vocabulary vocabulary;  // counts are 0 where the file has none
  RowTable vectors;       // [words, dim]
  std::optional<SubwordShape> subwords;
  RowTable buckets;  // [subwords->buckets, dim], with n-grams only

  [[nodiscard]] int64_t dim() const noexcept { return vectors.dim; }
  [[nodiscard]] int32_t size() const noexcept { return vocabulary.size(); }
  [[nodiscard]] std::span<const float> row(int32_t id) const noexcept {
    return {vectors.row(id), static_cast<size_t>(vectors.dim)};
  }
  /// The word's row; for a word outside the vocabulary the mean of its n-grams' rows; nothing where there is neither.
  [[nodiscard]] std::optional<std::vector<float>> vector_of(std::string_view word) const;
};

}  // namespace sesame
