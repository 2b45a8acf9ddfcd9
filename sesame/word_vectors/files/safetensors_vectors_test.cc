#include <gmock/gmock.h>

#include <map>

#include "sesame/io/safetensors.h"
#include "sesame/word_vectors/files/sample_vectors.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

WordVectors with_ngrams() {
  WordVectors vectors = sample_vectors(odd_words(), 5);
  vectors.subwords = SubwordShape{2, 3, 7};
  vectors.buckets = RowTable(7, 5);
  for (int64_t i = 0; i < 7; ++i) vectors.buckets.row(i)[i % 5] = static_cast<float>(i) / 3;
  return vectors;
}

class SafetensorsVectors : public VectorFiles {
 protected:
  /// The parts of a good file, for tests to spoil.
  std::vector<float> rows = {1, 2, 3, 4};
  std::string words = "abc";
  std::vector<int64_t> offsets = {0, 1, 3};
  std::vector<int64_t> counts = {9, 4};
  std::map<std::string, std::string> metadata;

  [[nodiscard]] std::string outcome(int64_t dim = 2) const {
    const std::vector<TensorView> tensors = {
        view_of<float>("embeddings", {std::ssize(rows) / dim, dim}, rows),
        TensorView{"words", TensorType::u8, {std::ssize(words)}, as_bytes(std::string_view(words))},
        view_of<int64_t>("word_offsets", {std::ssize(offsets)}, offsets),
        view_of<int64_t>("counts", {std::ssize(counts)}, counts)};
    write_safetensors(path("v.safetensors"), tensors, metadata);
    return error_of([&] { (void)read(path("v.safetensors")); });
  }
};

TEST_F(SafetensorsVectors, KeepWordsCountsAndNgrams) {
  const WordVectors vectors = with_ngrams();
  write_word_vectors(path("v.safetensors"), vectors);
  const WordVectors again = read(path("v.safetensors"));
  expect_equal(again, vectors);
  EXPECT_EQ(again.vocabulary.counts(), vectors.vocabulary.counts());
  EXPECT_EQ(again.subwords, vectors.subwords);
  for (int64_t i = 0; i < 7; ++i)
    EXPECT_TRUE(std::equal(again.buckets.row(i), again.buckets.row(i) + 5, vectors.buckets.row(i)));
  EXPECT_EQ(*again.vector_of("tea"), *vectors.vector_of("tea"));
}

TEST_F(SafetensorsVectors, HaveTheDocumentedTensors) {
  write_word_vectors(path("v.safetensors"), with_ngrams());
  const SafetensorsFile file(path("v.safetensors"));
  EXPECT_EQ(file.metadata(), (std::map<std::string, std::string>{
                                 {"format", "sesame word vectors, version 1"}, {"max_n", "3"}, {"min_n", "2"}}));
  EXPECT_EQ(file.tensors().size(), 5u);
  EXPECT_THAT(file.at("embeddings").shape, ElementsAre(10, 5));
  EXPECT_THAT(file.at("ngram_buckets").shape, ElementsAre(7, 5));
  EXPECT_THAT(file.at("counts").shape, ElementsAre(10));
  EXPECT_THAT(file.at("word_offsets").shape, ElementsAre(11));
  const std::span<const std::byte> first = file.at("words").bytes;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(first.data()), 7), "</s>the");
}

TEST_F(SafetensorsVectors, CutAnywhereAreRefused) {
  write_word_vectors(path("whole.safetensors"), with_ngrams());
  const std::string bytes = read_file(path("whole.safetensors"));
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(refusal(bytes.substr(0, size), VectorFormat::safetensors), "no error") << size;
  }
}

TEST_F(SafetensorsVectors, BadTensorsAreNamed) {
  EXPECT_EQ(outcome(), "no error");
  counts = {9};
  EXPECT_THAT(outcome(), HasSubstr("tensor 'counts' is I64 [1], expected I64 [2]"));
  counts = {9, -1};
  EXPECT_THAT(outcome(), HasSubstr("tensor 'counts': -1 at 1 is below 0"));
  counts = {9, 4};
  for (const std::vector<int64_t>& bad : {std::vector<int64_t>{0, 1, 4}, {0, 4, 3}, {1, 2, 3}, {-1, 1, 3}}) {
    offsets = bad;
    EXPECT_THAT(outcome(), HasSubstr("tensor 'word_offsets' does not rise from 0 to 3"));
  }
  offsets = {0, 0, 3};
  EXPECT_THAT(outcome(), HasSubstr("empty"));
  offsets = {0, 1, 2};
  words = "aa";
  EXPECT_THAT(outcome(), HasSubstr("the word \"a\" is there twice"));
  words = "ab";
  rows[3] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(outcome(), HasSubstr("tensor 'embeddings': value 1 of row 1 is inf"));
  rows[3] = 0;
  metadata["format"] = "sesame word vectors, version 2";
  EXPECT_THAT(outcome(), HasSubstr("this program reads \"sesame word vectors, version 1\""));
}

TEST_F(SafetensorsVectors, OtherFilesAreRefused) {
  write_safetensors(path("m.safetensors"), std::vector<TensorView>{view_of<float>("wte", {2, 2}, rows)});
  EXPECT_THAT(error_of([&] { (void)read(path("m.safetensors")); }), HasSubstr("embeddings"));
  write_safetensors(path("m.safetensors"), std::vector<TensorView>{view_of<float>("embeddings", {4}, rows)});
  EXPECT_THAT(error_of([&] { (void)read(path("m.safetensors")); }), HasSubstr("has the shape [4]"));
}

TEST_F(SafetensorsVectors, NgramsNeedTheirLengths) {
  WordVectors vectors = with_ngrams();
  vectors.subwords->max_n = 65;
  write_word_vectors(path("v.safetensors"), vectors);
  EXPECT_THAT(error_of([&] { (void)read(path("v.safetensors")); }), HasSubstr("has no \"max_n\" from 0 to 64"));
}

}  // namespace
}  // namespace sesame
