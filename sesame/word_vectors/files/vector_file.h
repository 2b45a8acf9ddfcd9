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
  safetensors,      // "embeddings" [words, dim], words, counts and n-grams as tensors: docs/formats.md
};

/// "auto", "word2vec", "word2vec-text", "fasttext", "fasttext-text", "glove", "safetensors". Throws usage Error.
VectorFormat parse_vector_format(std::string_view text, std::string_view key);
std::string_view name_of(VectorFormat format);

/// What a reader found besides the vectors.
struct VectorFileSummary {
  VectorFormat format = VectorFormat::automatic;
  int64_t duplicate_words = 0;  // rows left out because their word had a row already
};

/// Reads vectors of any of the formats, gzip and Zstandard included (but safetensors, which is mapped). Words may hold
/// any byte but space and line break, in GloVe's format spaces too. A wrong header, a row too short or too long, a NaN
/// or an infinity, are an Error that names file, row and word; sizes are held against the file before memory is taken.
/// Of several rows with one word the first stays. `max_words` > 0 reads the first ones only. Beyond the matrix and the
/// words it takes a few MiB.
WordVectors read_word_vectors(const std::filesystem::path& path, VectorFormat format = VectorFormat::automatic,
                              int64_t max_words = 0, VectorFileSummary* summary = nullptr);

/// The format that the content of a file has. Throws Error where it is none of these.
VectorFormat format_of_file(const std::filesystem::path& path);
/// The format that a new file's name asks for: .txt word2vec's, .vec fastText's, .bin word2vec's, .safetensors.
/// Throws usage Error for another ending.
VectorFormat format_of_name(const std::filesystem::path& path);

/// Writes atomically. Text has the fewest digits that read back as the same float32. fasttext_binary holds what a
/// FastTextModel has (write_fasttext_model is exact) as far as it is known: an output matrix of zeros, and word rows
/// from which fastText computes these vectors but for rounding. Throws Error where a row has a NaN or an infinity, or
/// the format can't hold a word.
void write_word_vectors(const std::filesystem::path& path, const WordVectors& vectors,
                        VectorFormat format = VectorFormat::automatic);
/// Rows of a table under the words of a vocabulary: the output matrix, or vectors that are still being trained.
void write_rows(const std::filesystem::path& path, const Vocabulary& vocabulary, const RowTable& rows,
                VectorFormat format = VectorFormat::automatic);

}  // namespace sesame
