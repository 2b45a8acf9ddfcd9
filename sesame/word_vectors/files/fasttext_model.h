#pragma once

#include <cstdint>
#include <filesystem>

#include "sesame/word_vectors/files/word_vectors.h"
#include "sesame/word_vectors/options.h"

namespace sesame {

/// What fastText's .bin holds (version 12), unquantised and unsupervised.
struct FastTextModel {
  VectorOptions options;  // dim, window, epochs, negative, loss, architecture, min_n, max_n, buckets, sample, rate
  uint64_t min_count = 5;
  uint64_t tokens = 0;  // of the corpus, rare words included
  Vocabulary vocabulary;
  RowTable input;   // [words + buckets, dim]
  RowTable output;  // [words, dim]
};

/// Throws Error that says what is not supported (labels, quantised matrices, pruned dictionaries, other versions) or
/// broken, and where. Truncated files of any length are refused at once.
FastTextModel read_fasttext_model(const std::filesystem::path& path);
/// Atomically; fastText 0.9.2 loads it. Takes parts, so that training need not copy its tables. `tokens` 0: as many as
/// the vocabulary counts. A model of fastText's that was read is written with the same bytes.
void write_fasttext_model(const std::filesystem::path& path, const VectorOptions& options, uint64_t min_count,
                          const Vocabulary& vocabulary, const VectorTables& tables, uint64_t tokens = 0);

/// The vectors of its words, each the mean of its row and its n-grams' rows, and the buckets for words outside.
WordVectors compose(FastTextModel model);
/// The same from tables that were trained with n-grams; without n-grams it takes the input table as it is.
WordVectors compose(const VectorOptions& options, const Vocabulary& vocabulary, RowTable input);

}  // namespace sesame
