#pragma once

#include <cstdint>
#include <filesystem>

#include "sesame/word_vectors/files/vector_file.h"

namespace sesame {

/// What a conversion did, and what the new file can't hold.
struct VectorConversion {
  VectorFormat from = VectorFormat::automatic;
  VectorFormat to = VectorFormat::automatic;
  int64_t words = 0;
  int64_t dim = 0;
  int64_t duplicate_words = 0;      // rows of the old file left out, their words having one already
  bool lost_counts = false;         // how often each word occurred
  bool lost_ngrams = false;         // the vectors of words outside the vocabulary
  bool lost_output_matrix = false;  // with which fastText could go on training
};

/// Reads one file of word vectors and writes another. From fastText's .bin to the same, whole models are kept as they
/// are. `max_words` > 0: the first ones only. Throws as the reader and the writer do.
VectorConversion convert_word_vectors(const std::filesystem::path& in, const std::filesystem::path& out,
                                      VectorFormat from = VectorFormat::automatic,
                                      VectorFormat to = VectorFormat::automatic, int64_t max_words = 0);

}  // namespace sesame
