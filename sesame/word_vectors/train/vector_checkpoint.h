#pragma once

#include <filesystem>

#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/tables.h"
#include "sesame/word_vectors/train/train_word_vectors.h"
#include "sesame/word_vectors/words/vocabulary.h"

namespace sesame {

/// Writes where a run stands to one safetensors file, atomically: both tables, the position, the options in words and a
/// fingerprint of the vocabulary.
void write_vector_checkpoint(const std::filesystem::path& path, const VectorOptions& options,
                             const Vocabulary& vocabulary, const VectorTables& tables, VectorPosition position);

/// Reads it back into `tables`, which have the shapes of this run, and returns the position. Throws Error for a file
/// that is broken or belongs to a run with other options or another vocabulary, and says which.
VectorPosition read_vector_checkpoint(const std::filesystem::path& path, const VectorOptions& options,
                                      const Vocabulary& vocabulary, VectorTables& tables);

}  // namespace sesame
