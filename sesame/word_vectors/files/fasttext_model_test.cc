#include "sesame/word_vectors/files/fasttext_model.h"

#include <gmock/gmock.h>

#include <array>
#include <cstring>

#include "sesame/word_vectors/files/convert_vectors.h"
#include "sesame/word_vectors/files/sample_vectors.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;

// fastText 0.9.2: skipgram -dim 5 -epoch 300 -lr 0.3 -minCount 2 -bucket 4 -minn 2 -maxn 3 -ws 2 -neg 2 -t 0.5, of the
// lines "cat 文字 cat", "cat mat", "文字 cat mat", "cat 文字".
constexpr std::string_view kGoldenHex =
    "ba164f2f0c00000005000000020000002c01000002000000020000000100000002000000020000000400000002000000030000006400000000"
    "0000000000e03f0400000004000000000000000e00000000000000ffffffffffffffff636174000500000000000000003c2f733e0004000000"
    "0000000000e69687e5ad97000300000000000000006d617400020000000000000000000800000000000000050000000000000056b3c03ffc0d"
    "c5bfe443913fedd17ebff6f1aabeda96a93fcf458a3f3c76fabd5f3342bfe717373fd42689bb8a3438406c1f19c0f48c3bbe3ca1e33f000506"
    "c079a4693eda440c3fad19bc3fa737a0bf6c54b13febd9b6bed8956c3fd4a819bfa4a6053e6c9b0fc0316a8840584315c0e799a73f3f2f273f"
    "8cfc12c0b393e13f7841a23d1953b03f7cb77cbf381e7d3f71b2d1bfb96f154075969abe9408a6bf0004000000000000000500000000000000"
    "19d515bf9adf21bd67be8bbf396e293e8237033fa595a1bf040ca7bf354316bf9c91143f7e4f41beda14b73e60d2c1bf1ca42cbe713fbabe20"
    "8b793eb92b4e3eb812b2bffb485cbf2ef5b8be0e29273f";

std::string golden() {
  std::string bytes;
  for (size_t i = 0; i < kGoldenHex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(kGoldenHex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

constexpr size_t kDictionary = 64;       // where it starts
constexpr size_t kInput = 64 + 28 + 56;  // where the flag before the input matrix stands
constexpr size_t kOutput = kInput + 17 + 8 * 5 * 4;

template <typename T>
std::string with(std::string bytes, size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  return bytes;
}

class FastText : public VectorFiles {
 protected:
  [[nodiscard]] std::string model_refusal(const std::string& bytes) const {
    return error_of([&] { (void)read_fasttext_model(file(bytes)); });
  }
};

void expect_near(const std::optional<std::vector<float>>& vector, const std::array<float, 5>& expected) {
  ASSERT_TRUE(vector.has_value());
  for (size_t d = 0; d < 5; ++d) EXPECT_NEAR((*vector)[d], expected[d], 0.6e-4 * std::abs(expected[d]));
}

TEST_F(FastText, ModelsAreReadWithAllThatTheyHold) {
  const FastTextModel model = read_fasttext_model(file(golden()));
  EXPECT_EQ(model.options.architecture, Architecture::skipgram);
  EXPECT_EQ(model.options.loss, VectorLoss::negative_sampling);
  EXPECT_EQ(model.options.dim, 5);
  EXPECT_EQ(model.options.window, 2);
  EXPECT_EQ(model.options.epochs, 300);
  EXPECT_EQ(model.options.negative, 2);
  EXPECT_EQ(model.options.sample, 0.5);
  EXPECT_EQ(model.options.min_n, 2);
  EXPECT_EQ(model.options.max_n, 3);
  EXPECT_EQ(model.options.buckets, 4);
  EXPECT_EQ(model.min_count, 2u);
  EXPECT_EQ(model.tokens, 14u);
  ASSERT_EQ(model.vocabulary.size(), 4);
  EXPECT_EQ(model.vocabulary.word(2), "文字");
  EXPECT_THAT(model.vocabulary.counts(), ElementsAre(5, 4, 3, 2));
  EXPECT_EQ(model.input.rows, 8);
  EXPECT_EQ(model.output.rows, 4);
  EXPECT_EQ(std::bit_cast<uint32_t>(model.input.row(0)[0]), 0x3FC0B356u);
  EXPECT_EQ(std::bit_cast<uint32_t>(model.output.row(3)[4]), 0x3F27290Eu);
}

// What `fasttext print-word-vectors` prints for this model: five digits.
TEST_F(FastText, VectorsAreFastTexts) {
  const auto check = [](const WordVectors& vectors) {
    ASSERT_EQ(vectors.size(), 4);
    expect_near(vectors.vector_of("cat"), {0.33774F, -0.14291F, 0.96688F, -0.05184F, -0.5373F});
    expect_near(vectors.vector_of("文字"), {-0.73574F, 1.8618F, -0.61978F, 0.48516F, 0.15512F});
    expect_near(vectors.vector_of("mat"), {-0.97653F, 1.0806F, 0.20449F, 0.70491F, -0.54796F});
    expect_near(vectors.vector_of("</s>"), {1.3249F, 1.0803F, -0.1223F, -0.7586F, 0.71521F});
    expect_near(vectors.vector_of("cab"), {-0.75268F, 1.7427F, -0.3906F, 0.54333F, -0.0091544F});
    expect_near(vectors.vector_of("m"), {-1.0693F, 1.0558F, 0.36087F, 0.71828F, -0.61461F});
    expect_near(vectors.vector_of("XYZ"), {-0.70355F, 1.5685F, -0.24765F, 0.51045F, -0.039524F});
    EXPECT_EQ(vectors.subwords, (SubwordShape{2, 3, 4}));
  };
  check(read(file(golden())));
  check(compose(read_fasttext_model(file(golden()))));
  expect_equal(compose(read_fasttext_model(file(golden()))), read(file(golden())));
}

TEST_F(FastText, ModelsAreWrittenWithTheSameBytes) {
  const VectorConversion done =
      convert_word_vectors(file(golden()), path("again.bin"), VectorFormat::automatic, VectorFormat::fasttext_binary);
  EXPECT_EQ(read_file(path("again.bin")), golden());
  EXPECT_EQ(done.words, 4);
  EXPECT_FALSE(done.lost_ngrams || done.lost_counts || done.lost_output_matrix);
}

TEST_F(FastText, VectorsGoBackIntoAModelButForRounding) {
  const WordVectors vectors = read(file(golden()));
  write_word_vectors(path("again.bin"), vectors, VectorFormat::fasttext_binary);
  const WordVectors again = read(path("again.bin"));
  EXPECT_EQ(again.vocabulary.counts(), vectors.vocabulary.counts());
  for (const char* word : {"cat", "文字", "cab"}) {
    const std::vector<float> expected = *vectors.vector_of(word);
    for (size_t d = 0; d < expected.size(); ++d) EXPECT_NEAR((*again.vector_of(word))[d], expected[d], 1e-6);
  }
}

TEST_F(FastText, WordsWithoutNgramsOutsideTheVocabularyHaveNoVector) {
  WordVectors vectors = read(file(golden()));
  vectors.subwords->min_n = vectors.subwords->max_n = 6;
  EXPECT_FALSE(vectors.vector_of("abc").has_value());
  vectors.subwords.reset();
  EXPECT_FALSE(vectors.vector_of("cab").has_value());
  EXPECT_TRUE(vectors.vector_of("cat").has_value());
}

TEST_F(FastText, TablesWithoutNgramsAreTakenAsTheyAre) {
  VectorOptions options;
  options.dim = 3;
  RowTable input(2, 3);
  input.row(1)[2] = 7;
  const float* const memory = input.row(0);
  const WordVectors vectors = compose(options, Vocabulary({{"a", 2}, {"b", 1}}), std::move(input));
  EXPECT_EQ(vectors.vectors.row(0), memory);
  EXPECT_EQ(vectors.row(1)[2], 7);
  EXPECT_FALSE(vectors.subwords.has_value());
}

TEST_F(FastText, OutputOfATreeIsFilledUp) {
  VectorOptions options;
  options.dim = 3;
  options.loss = VectorLoss::hierarchical_softmax;
  options.architecture = Architecture::cbow;
  const Vocabulary vocabulary({{"a", 2}, {"b", 1}});
  VectorTables tables{RowTable(2, 3), RowTable(1, 3)};
  tables.input.row(0)[0] = 1;
  tables.output.row(0)[1] = 2;
  write_fasttext_model(path("m.bin"), options, 1, vocabulary, tables);
  const FastTextModel model = read_fasttext_model(path("m.bin"));
  EXPECT_EQ(model.options.loss, VectorLoss::hierarchical_softmax);
  EXPECT_EQ(model.options.architecture, Architecture::cbow);
  EXPECT_EQ(model.output.rows, 2);
  EXPECT_EQ(model.output.row(0)[1], 2);
  EXPECT_EQ(model.output.row(1)[1], 0);
  EXPECT_EQ(model.tokens, 3u);
  EXPECT_THAT(error_of([&] {
                write_fasttext_model(path("m.bin"), options, 1, Vocabulary({{"a", 2}}), tables);
              }),
              HasSubstr("do not fit 1 words"));
  tables.input.row(1)[0] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(error_of([&] { write_fasttext_model(path("m.bin"), options, 1, vocabulary, tables); }),
              HasSubstr("value 0 of row 1 of the input matrix is inf"));
  EXPECT_EQ(read_fasttext_model(path("m.bin")).vocabulary.size(), 2);
}

TEST_F(FastText, CutAnywhereIsRefused) {
  const std::string bytes = golden();
  ASSERT_EQ(bytes.size(), kOutput + 17 + 4 * 5 * 4);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(model_refusal(bytes.substr(0, size)), "no error") << size;
    EXPECT_NE(refusal(bytes.substr(0, size)), "no error") << size;
  }
  EXPECT_THAT(refusal(bytes.substr(0, 95)), HasSubstr("take at least"));
  EXPECT_THAT(model_refusal(bytes + "x"), HasSubstr("but 275 are left; the file is damaged"));
}

TEST_F(FastText, WhatIsNotSupportedIsNamed) {
  const std::string good = golden();
  EXPECT_THAT(model_refusal(with(good, 0, 5)), HasSubstr("this is no fastText model"));
  EXPECT_THAT(refusal(with(good, 4, 11)), HasSubstr("a fastText model of version 11; version 12 is supported"));
  EXPECT_THAT(refusal(with(good, 36, 3)), HasSubstr("a supervised fastText classifier"));
  EXPECT_THAT(refusal(with(good, 36, 9)), HasSubstr("model 9 in the header"));
  EXPECT_THAT(model_refusal(with(good, 32, 3)), HasSubstr("trained with loss 3"));
  EXPECT_EQ(refusal(with(good, 32, 3)), "no error");
  EXPECT_THAT(refusal(with(good, kDictionary + 8, 1)), HasSubstr("1 labels"));
  EXPECT_THAT(refusal(with(good, kDictionary + 20, int64_t{0})), HasSubstr("the dictionary is pruned"));
  EXPECT_THAT(refusal(with(good, kInput, '\1')), HasSubstr("the input matrix is quantised"));
  EXPECT_THAT(model_refusal(with(good, kOutput, '\1')), HasSubstr("the output matrix is quantised"));
}

TEST_F(FastText, NumbersThatCannotBeAreRefusedBeforeMemoryIsTaken) {
  const std::string good = golden();
  constexpr int32_t kHuge = std::numeric_limits<int32_t>::max();
  for (const int32_t dim : {0, -1, kHuge})
    EXPECT_THAT(refusal(with(good, 8, dim)), HasSubstr("dimensions in the header"));
  EXPECT_THAT(refusal(with(good, 8, 1 << 20)), HasSubstr("the file is truncated"));
  EXPECT_THAT(refusal(with(good, 40, kHuge)), HasSubstr("the file is truncated"));
  for (const int32_t buckets : {0, -1}) EXPECT_THAT(refusal(with(good, 40, buckets)), HasSubstr("buckets"));
  for (const int32_t max_n : {65, kHuge}) EXPECT_THAT(refusal(with(good, 52 - 4, max_n)), HasSubstr("at most 64"));
  EXPECT_THAT(refusal(with(with(good, kDictionary, kHuge), kDictionary + 4, kHuge)),
              HasSubstr("the file is truncated"));
  EXPECT_THAT(refusal(with(good, kDictionary, 3)), HasSubstr("3 entries and 4 words"));
  EXPECT_THAT(refusal(with(with(good, kDictionary, -1), kDictionary + 4, -1)), HasSubstr("-1 entries"));
  EXPECT_THAT(refusal(with(good, kInput + 1, int64_t{1} << 60)), HasSubstr("has the shape [1152921504606846976, 5]"));
  EXPECT_THAT(refusal(with(good, kDictionary + 28 + 4, int64_t{-5})), HasSubstr("has the count -5"));
  EXPECT_THAT(refusal(with(good, kDictionary + 28, '\0')), HasSubstr("word 0 of the dictionary is empty"));
  EXPECT_THAT(refusal(with(good, kInput + 17, std::numeric_limits<float>::quiet_NaN())),
              HasSubstr("value 0 of row 0 of the input matrix is nan"));
}

TEST_F(FastText, SumsThatOverflowAreRefused) {
  std::string bytes = golden();
  for (int64_t i = 0; i < 8 * 5; ++i) bytes = with(bytes, kInput + 17 + static_cast<size_t>(i) * 4, 3e38F);
  EXPECT_THAT(refusal(bytes), HasSubstr("the rows of the word \"cat\" and its n-grams add up to more than"));
}

TEST_F(FastText, OnlyTheFirstWordsAreReadOnRequest) {
  const WordVectors all = read(file(golden()));
  const WordVectors two = read_word_vectors(file(golden()), VectorFormat::automatic, 2);
  ASSERT_EQ(two.size(), 2);
  EXPECT_EQ(*two.vector_of("cat"), *all.vector_of("cat"));
  EXPECT_EQ(*two.vector_of("cab"), *all.vector_of("cab"));
}

TEST_F(FastText, ConversionsSayWhatIsLost) {
  const std::filesystem::path model = file(golden());
  VectorConversion done = convert_word_vectors(model, path("v.txt"));
  EXPECT_EQ(done.from, VectorFormat::fasttext_binary);
  EXPECT_EQ(done.to, VectorFormat::word2vec_text);
  EXPECT_TRUE(done.lost_counts && done.lost_ngrams && done.lost_output_matrix);
  done = convert_word_vectors(model, path("v.safetensors"), VectorFormat::automatic, VectorFormat::automatic, 3);
  EXPECT_EQ(done.words, 3);
  EXPECT_TRUE(!done.lost_counts && !done.lost_ngrams && done.lost_output_matrix);
  done = convert_word_vectors(path("v.safetensors"), path("v.bin"), VectorFormat::automatic,
                              VectorFormat::fasttext_binary);
  EXPECT_TRUE(!done.lost_counts && !done.lost_ngrams && !done.lost_output_matrix);
  done = convert_word_vectors(file("a 1 2\nb 3 4\na 5 6\n"), path("v.bin"));
  EXPECT_EQ(done.from, VectorFormat::glove_text);
  EXPECT_EQ(done.duplicate_words, 1);
  EXPECT_TRUE(!done.lost_counts && !done.lost_ngrams && !done.lost_output_matrix);
}

TEST_F(FastText, WordsWithAByteOfZeroAreNotWritten) {
  EXPECT_THAT(error_of([&] {
                write_word_vectors(path("v.bin"), sample_vectors({{std::string_view("a\0b", 3), 1}}, 2),
                                   VectorFormat::fasttext_binary);
              }),
              HasSubstr("it has a byte of 0 in it"));
}

}  // namespace
}  // namespace sesame
