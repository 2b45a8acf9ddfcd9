#include "sesame/word_vectors/files/vector_file.h"

#include <gmock/gmock.h>

#include "sesame/io/compressed_text.h"
#include "sesame/word_vectors/files/sample_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

constexpr VectorFormat kFormats[] = {VectorFormat::word2vec_text, VectorFormat::word2vec_binary,
                                     VectorFormat::fasttext_text, VectorFormat::fasttext_binary,
                                     VectorFormat::glove_text,    VectorFormat::safetensors};

class VectorFile : public VectorFiles {};

TEST_F(VectorFile, GoesFromEveryFormatToEveryOther) {
  for (const int64_t dim : {1, 16, 19}) {
    const WordVectors original = sample_vectors(odd_words(), dim);
    for (const VectorFormat first : kFormats) {
      write_word_vectors(path("first"), original, first);
      const WordVectors once = read_word_vectors(path("first"), first);
      expect_equal(once, original);
      for (const VectorFormat second : kFormats) {
        write_word_vectors(path("second"), once, second);
        expect_equal(read_word_vectors(path("second"), second), original);
      }
    }
  }
}

TEST_F(VectorFile, FormatIsFoundFromTheContent) {
  for (const int64_t dim : {2, 3, 16, 50}) {
    for (const VectorFormat format : kFormats) {
      write_word_vectors(path("v"), sample_vectors(odd_words(), dim), format);
      const VectorFormat found = format == VectorFormat::fasttext_text ? VectorFormat::word2vec_text : format;
      EXPECT_EQ(format_of_file(path("v")), found) << name_of(format) << " " << dim;
    }
  }
  EXPECT_EQ(format_of_file(file("2 9\na 1 2 3 4 5 6 7 oops this is not a number\n")), VectorFormat::word2vec_text);
  EXPECT_EQ(format_of_file(file(std::string("1 2\na \0\0\0\0\0\0\0\0\n", 15))), VectorFormat::word2vec_binary);
  // Floats whose first byte is a line break.
  EXPECT_EQ(format_of_file(file(std::string("1 2\na \n\xD7\x23\x3C\n\xD7\x23\x3C\n", 15))),
            VectorFormat::word2vec_binary);
  EXPECT_EQ(format_of_file(file(std::string("1 2\na 1\n\x01\x3C\n\xD7\x23\x3C\n", 15))), VectorFormat::word2vec_binary);
  EXPECT_EQ(format_of_file(file("x 1 2\n")), VectorFormat::glove_text);
}

TEST_F(VectorFile, FormatsHaveNames) {
  for (const VectorFormat format : kFormats) EXPECT_EQ(parse_vector_format(name_of(format), "--to"), format);
  EXPECT_EQ(error_of([] { parse_vector_format("npy", "--to"); }),
            "--to: \"npy\" is not one of auto, word2vec, word2vec-text, fasttext, fasttext-text, glove, safetensors");
  EXPECT_EQ(format_of_name("a/v.bin"), VectorFormat::word2vec_binary);
  EXPECT_EQ(format_of_name("v.txt"), VectorFormat::word2vec_text);
  EXPECT_EQ(format_of_name("v.vec"), VectorFormat::fasttext_text);
  EXPECT_EQ(format_of_name("v.safetensors"), VectorFormat::safetensors);
  EXPECT_THAT(error_of([] { format_of_name("v.npy"); }), HasSubstr("does not tell the format"));
}

TEST_F(VectorFile, IsReadCompressed) {
  const WordVectors vectors = sample_vectors(odd_words(), 20);
  for (const VectorFormat format : kFormats) {
    if (format == VectorFormat::safetensors) continue;
    write_word_vectors(path("plain"), vectors, format);
    const std::string plain = read_file(path("plain"));
    expect_equal(read(file(gzip(plain))), vectors);
    expect_equal(read(file(zstd(plain))), vectors);
    const std::string packed = gzip(plain);
    EXPECT_NE(refusal(packed.substr(0, packed.size() / 2)), "no error") << name_of(format);
  }
}

TEST_F(VectorFile, HeadersOfCompressedFilesAreNotBelieved) {
  EXPECT_THAT(refusal(gzip("2000000000 1000\na " + std::string(5000, 'x'))), HasSubstr("the row of \"a\""));
  EXPECT_THAT(refusal(gzip(std::string("2000000000 1000\na \0\0\0\0\0\0\0\0", 26))), HasSubstr("ends in row 1"));
  std::string many = "1000000 3\n";
  for (int i = 0; i < 3; ++i) many += "w" + std::to_string(i) + " 1 2 3\n";
  EXPECT_THAT(refusal(zstd(many)), HasSubstr("the header says 1000000 words, but the file ends after 3"));
}

TEST_F(VectorFile, GrowsWithACompressedFile) {
  std::string text;
  constexpr int kRows = 200'000;  // several times the rows that a header is believed to have
  for (int i = 0; i < kRows; ++i) text += std::to_string(i) + " " + std::to_string(i % 1000) + "\n";
  const WordVectors vectors = read(file(zstd(std::to_string(kRows) + " 1\n" + text)));
  ASSERT_EQ(vectors.size(), kRows);
  for (int i = 0; i < kRows; i += 4999) EXPECT_EQ(vectors.row(i)[0], static_cast<float>(i % 1000));
}

TEST_F(VectorFile, RowsAloneCanBeWritten) {
  const WordVectors vectors = sample_vectors(odd_words(), 5);
  write_rows(path("rows.bin"), vectors.vocabulary, vectors.vectors);
  expect_equal(read(path("rows.bin")), vectors);
  EXPECT_THAT(error_of([&] { write_rows(path("none.bin"), Vocabulary(), RowTable(0, 5)); }),
              HasSubstr("there are no words"));
  EXPECT_THAT(error_of([&] { write_rows(path("few.bin"), vectors.vocabulary, RowTable(3, 5)); }),
              HasSubstr("3 rows for 10 words"));
}

TEST_F(VectorFile, ThatIsNotThereIsAnError) {
  EXPECT_THAT(error_of([&] { (void)read(path("missing")); }), HasSubstr("can't open"));
  EXPECT_THAT(error_of([&] { (void)read(path("")); }), HasSubstr("is a directory"));
}

}  // namespace
}  // namespace sesame
