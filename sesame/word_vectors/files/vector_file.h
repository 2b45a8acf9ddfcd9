#pragma once

#include <filesystem>
#include <string_view>

#include "sesame/word_vectors/files/fasttext_model.h"
#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

enum class VectorFormat {
  automatic,        // by content when reading; by name when writing: .txt, .vec, .bin, .safetensors
  word2vec_text,    // "V D\n", then "word x x x\n"
  word2vec_binary,  // "V D\n", then word, space, D little-endian float32, mostly "\n"
  fasttext_text,    // .vec: as word2vec_text
  fasttext_binary,  // fastText's .bin: n-grams, counts and the output matrix too
  glove_text,       // no header
  safetensors,      // "embeddings" [words, dim], words and counts as metadata or tensors: docs/formats.md
};

/// "auto", "word2vec", "word2vec-text", "fasttext", "fasttext-text", "glove", "safetensors". Throws usage Error.
VectorFormat parse_vector_format(std::string_view text, std::string_view key);
std::string_view name_of(VectorFormat format);

/// Reads vectors of any of the formats, gzip and Zstandard included. Words may hold any byte but space and line break.
/// A wrong header, a row too short or too long, a NaN or an infinity, a word that is there twice, are an Error that
/// names file, row and word; sizes are held against the file before memory is taken. `max_words` > 0 reads the first
/// ones only.
WordVectors read_word_vectors(const std::filesystem::path& path, VectorFormat format = VectorFormat::automatic,
                              int64_t max_words = 0);

/// Writes atomically. Text has the fewest digits that read back as the same float32. fasttext_binary needs a
/// FastTextModel: see fasttext_model.h.
void write_word_vectors(const std::filesystem::path& path, const WordVectors& vectors,
                        VectorFormat format = VectorFormat::automatic);
/// Rows of a table under the words of a vocabulary: the output matrix, or vectors that are still being trained.
void write_rows(const std::filesystem::path& path, const Vocabulary& vocabulary, const RowTable& rows,
                VectorFormat format = VectorFormat::automatic);

}  // namespace sesame
