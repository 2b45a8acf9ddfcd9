#pragma once

#include "sesame/word_vectors/files/vector_file.h"

namespace sesame::fuzz {

/// Reads the input as word vectors of one format; what was read must be finite and come back from another file as it
/// was.
void use_word_vectors(std::string_view input, VectorFormat format);

/// A good file of three words of that format.
std::string word_vector_seed(VectorFormat format, bool ngrams = false);

}  // namespace sesame::fuzz
