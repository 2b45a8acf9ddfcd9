#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sesame/base/philox.h"
#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

/// For tests: vectors with elements uniform in [-0.5, 0.5) for these words, in their order.
inline WordVectors made_vectors(const std::vector<std::string>& words, int64_t dim, uint64_t seed = 1) {
  WordVectors made;
  std::vector<Vocabulary::Entry> entries;
  for (const std::string& word : words) entries.push_back({word, 0});
  made.vocabulary = Vocabulary::in_order(entries);
  made.vectors = RowTable(static_cast<int64_t>(words.size()), dim);
  const Philox random(seed, 0);
  for (int64_t i = 0; i < made.vectors.rows; ++i) {
    for (int64_t d = 0; d < dim; ++d) {
      made.vectors.row(i)[d] = Philox::uniform(random.word(static_cast<uint64_t>(d), static_cast<uint64_t>(i))) - 0.5F;
    }
  }
  return made;
}

/// For tests: words "w0", "w1" ...
inline std::vector<std::string> numbered_words(int64_t count) {
  std::vector<std::string> words;
  for (int64_t i = 0; i < count; ++i) words.push_back("w" + std::to_string(i));
  return words;
}

/// For tests: makes the vector of word `to` equal to that of word `from`.
inline void copy_row(WordVectors& vectors, int64_t from, int64_t to) {
  for (int64_t d = 0; d < vectors.dim(); ++d) vectors.vectors.row(to)[d] = vectors.vectors.row(from)[d];
}

}  // namespace sesame
