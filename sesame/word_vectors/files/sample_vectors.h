#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/word_vectors/files/vector_file.h"

namespace sesame {

/// Words that readers stumble over: numbers, bytes that are not UTF-8, signs.
inline std::vector<Vocabulary::Entry> odd_words() {
  return {{"</s>", 90}, {"the", 70},      {"文字", 60}, {"7", 50}, {"-1.5e3", 40},
          {"nan", 30},  {"\xFF\x80", 20}, {"a\tb", 10}, {"\"", 5}, {"x", 1}};
}

/// Rows that no rounding leaves alone, signed zeros, subnormals and the largest float.
inline WordVectors sample_vectors(const std::vector<Vocabulary::Entry>& entries, int64_t dim) {
  WordVectors vectors;
  vectors.vocabulary = Vocabulary::in_order(entries);
  vectors.vectors = RowTable(vectors.vocabulary.size(), dim);
  constexpr float kSpecial[] = {0.0F, -0.0F, 1e-45F, 3.4028235e38F, -1.17549435e-38F, 0.1F};
  for (int64_t i = 0; i < vectors.vectors.rows; ++i) {
    for (int64_t d = 0; d < dim; ++d) {
      const int64_t n = i * dim + d;
      vectors.vectors.row(i)[d] = n % 7 == 3 ? kSpecial[n / 7 % 6] : static_cast<float>(n - 20) / 7;
    }
  }
  return vectors;
}

/// The same words and the same bits.
inline void expect_equal(const WordVectors& a, const WordVectors& b) {
  ASSERT_EQ(a.size(), b.size());
  ASSERT_EQ(a.dim(), b.dim());
  for (int32_t id = 0; id < a.size(); ++id) {
    EXPECT_EQ(a.vocabulary.word(id), b.vocabulary.word(id));
    for (size_t d = 0; d < a.row(id).size(); ++d) {
      EXPECT_EQ(std::bit_cast<uint32_t>(a.row(id)[d]), std::bit_cast<uint32_t>(b.row(id)[d]))
          << a.vocabulary.word(id) << " " << d;
    }
    for (int64_t d = a.dim(); d < a.vectors.stride; ++d) EXPECT_EQ(a.vectors.row(id)[d], 0);
  }
}

/// Files of one test, gone with it.
class VectorFiles : public ::testing::Test {
 protected:
  [[nodiscard]] std::filesystem::path path(std::string_view name) const { return directory_.path() / name; }

  /// Writes a file and returns its path.
  [[nodiscard]] std::filesystem::path file(std::string_view content, std::string_view name = "vectors") const {
    std::filesystem::remove(path(name));  // some file systems wait for the disk where a file is emptied
    FileWriter out = FileWriter::create(path(name));
    out.write(content);
    out.close();
    return path(name);
  }

  [[nodiscard]] static WordVectors read(const std::filesystem::path& file) { return read_word_vectors(file); }

  /// The message with which a file of this content is refused.
  [[nodiscard]] std::string refusal(std::string_view content, VectorFormat format = VectorFormat::automatic) const {
    const std::filesystem::path written = file(content);
    std::string message = error_of([&] { (void)read_word_vectors(written, format); });
    if (message.starts_with(written.string())) message.erase(0, written.string().size());
    return message;
  }

 private:
  TemporaryDirectory directory_;
};

}  // namespace sesame
