#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "sesame/word_vectors/files/vector_file.h"
#include "sesame/word_vectors/files/vector_input.h"

namespace sesame {

/// The readers and writers of vector_file.h, a format each. Readers get an input at its start; `max_words` 0: all.

/// The most channels that files may have.
inline constexpr int64_t kMaxFileDim = int64_t{1} << 20;
/// The longest word, in bytes.
inline constexpr size_t kMaxWordBytes = size_t{1} << 20;

/// The longest n-grams that files may have, in characters.
inline constexpr int64_t kMaxNgram = 64;

/// "V D\n", the first line of word2vec's formats.
struct VectorHeader {
  int64_t words = 0;
  int64_t dim = 0;
  size_t bytes = 0;  // of the line
};

/// The header at the start of a file, or nothing where its first line is another.
std::optional<VectorHeader> parse_vector_header(std::string_view start);
/// Reads past the header. Throws Error where it is not there, is beyond what is supported, or needs more bytes than the
/// file has: every row takes `least_row_bytes`(dim) at least, the last one perhaps one less.
VectorHeader read_vector_header(VectorInput& input, int64_t (*least_row_bytes)(int64_t dim));

/// The rows of which to make room before they are read: all where the size of the file speaks for the header, else a
/// few MiB of them.
int64_t rows_to_expect(const VectorInput& input, const VectorHeader& header);

/// Vectors on their way to a file. Rows of words are means where there are buckets.
struct VectorParts {
  const Vocabulary* vocabulary = nullptr;
  const RowTable* rows = nullptr;  // [words, dim]
  std::optional<SubwordShape> subwords;
  const RowTable* buckets = nullptr;  // [subwords->buckets, dim]
};

WordVectors read_text_vectors(VectorInput& input, bool header, int64_t max_words, VectorFileSummary& summary);
/// `header`: "V D\n" first, and no spaces in words.
void write_text_vectors(const std::filesystem::path& path, const VectorParts& parts, bool header);

WordVectors read_binary_vectors(VectorInput& input, int64_t max_words, VectorFileSummary& summary);
void write_binary_vectors(const std::filesystem::path& path, const VectorParts& parts);

WordVectors read_safetensors_vectors(const std::filesystem::path& path, int64_t max_words);
void write_safetensors_vectors(const std::filesystem::path& path, const VectorParts& parts);

WordVectors read_fasttext_vectors(VectorInput& input, int64_t max_words);
void write_fasttext_vectors(const std::filesystem::path& path, const VectorParts& parts);

/// Replaces each word's row by the mean of it and its n-grams' rows.
void average_with_subwords(WordVectors& vectors);

/// A word as messages show it.
std::string shown_word(std::string_view word);
/// Throws Error that names the file and the word where a row to be written has a NaN or an infinity.
void check_finite(const std::filesystem::path& path, const VectorParts& parts);
/// The index of the first NaN or infinity, or -1.
int64_t first_not_finite(const float* values, int64_t count) noexcept;

}  // namespace sesame
