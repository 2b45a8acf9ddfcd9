// word2vec.c's own rows: tests/golden/generate_word2vec.py.

#include "sesame/word_vectors/train/compat.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <sstream>

#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/io/safetensors.h"
#include "sesame/simd/each_instruction_set.h"
#include "sesame/word_vectors/train/compat_random.h"
#include "sesame/word_vectors/train/compat_reader.h"
#include "sesame/word_vectors/train/compat_step.h"

namespace sesame {
namespace {

const std::filesystem::path kGolden = "tests/golden/word2vec.safetensors";
constexpr int kWords = 260;

/// The corpus of generate_word2vec.py, byte for byte.
std::string golden_corpus() {
  uint64_t state = 7;
  const auto draw = [&](uint64_t n) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (state >> 33) % n;
  };
  std::string text;
  for (int sentence = 0; sentence < 600; ++sentence) {
    const uint64_t topic = draw(10);
    const uint64_t length = sentence == 100 ? 1500 : draw(120);
    std::vector<std::string> words;
    for (uint64_t i = 0; i < length; ++i) {
      const bool any = draw(2) == 0;
      words.push_back("w" + std::to_string(any ? draw(draw(draw(kWords) + 1) + 1) : topic + 10 * draw(kWords / 10)));
    }
    if (sentence % 100 == 3) words.emplace_back(120, 'x');
    if (sentence % 400 == 5) words.push_back("rare" + std::to_string(sentence));
    for (size_t i = 0; i < words.size(); ++i) text += (i == 0 ? "" : sentence % 7 == 0 ? "\t" : " ") + words[i];
    text += sentence % 5 == 0 ? "\r\n" : "\n";
  }
  text.pop_back();
  return text + " end";
}

Vocabulary golden_vocabulary(const SafetensorsFile& golden) {
  const TensorView& tensor = golden.at("counts");
  std::vector<int32_t> counts(static_cast<size_t>(tensor.elements()));
  copy_elements<int32_t>(tensor, counts);
  std::istringstream stream(golden.metadata().at("words"));
  std::vector<std::string> words(counts.size());
  std::vector<Vocabulary::Entry> entries;
  for (size_t i = 0; i < counts.size(); ++i) {
    stream >> words[i];
    entries.push_back({words[i], static_cast<uint64_t>(counts[i])});
  }
  return Vocabulary::in_order(entries);
}

VectorOptions golden_options(Architecture architecture, VectorLoss loss) {
  VectorOptions options;
  options.architecture = architecture;
  options.loss = loss;
  options.cbow_gradient = CbowGradient::full;
  options.dim = 12;
  options.sample = 1e-3;
  options.epochs = 3;
  const bool tree = loss == VectorLoss::hierarchical_softmax;
  if (architecture == Architecture::skipgram) {
    options.window = tree ? 4 : 5;
    options.rate = 0.025;
  } else {
    options.window = tree ? 3 : 8;
    options.negative = 7;
    options.rate = 0.15;
  }
  return options;
}

/// The least cosine between rows of the table and of the golden one, and the largest difference of an element.
std::pair<double, double> agreement(const RowTable& table, const TensorView& golden) {
  std::vector<float> expected(static_cast<size_t>(golden.elements()));
  copy_elements<float>(golden, expected);
  EXPECT_THAT(golden.shape, testing::ElementsAre(table.rows, table.dim));
  double least = 1, largest = 0;
  for (int64_t i = 0; i < table.rows; ++i) {
    const float *a = table.row(i), *b = expected.data() + i * table.dim;
    double dot = 0, aa = 0, bb = 0;
    for (int64_t d = 0; d < table.dim; ++d) {
      dot += static_cast<double>(a[d]) * b[d], aa += static_cast<double>(a[d]) * a[d];
      bb += static_cast<double>(b[d]) * b[d];
      largest = std::max(largest, static_cast<double>(std::abs(a[d] - b[d])));
    }
    if (bb > 0 || aa > 0) least = std::min(least, dot / std::sqrt(aa * bb));  // "</s>" is no noise: a row of zeros
  }
  return {least, largest};
}

class Compat : public testing::Test {
 protected:
  Compat() { write_file_atomically(corpus_, golden_corpus()); }

  void expect_golden(const std::string& name, Architecture architecture, VectorLoss loss) {
    const VectorOptions options = golden_options(architecture, loss);
    for_each_instruction_set([&](const char* instructions) {
      VectorTables tables = word2vec_tables(options, vocabulary_.size());
      const VectorRun run = train_as_word2vec(options, vocabulary_, corpus_, tables, 1);
      EXPECT_TRUE(run.finished);
      const auto [input_cosine, input_difference] = agreement(tables.input, golden_.at(name + ".input"));
      const auto [output_cosine, output_difference] = agreement(tables.output, golden_.at(name + ".output"));
      EXPECT_GT(input_cosine, 0.9999) << instructions;
      EXPECT_LT(input_difference, 1e-2) << instructions;
      EXPECT_GT(output_cosine, 0.9999) << instructions;
      EXPECT_LT(output_difference, 1e-2) << instructions;
    });
  }

  TemporaryDirectory directory_;
  std::filesystem::path corpus_ = directory_.path() / "corpus";
  SafetensorsFile golden_{kGolden};
  Vocabulary vocabulary_ = golden_vocabulary(golden_);
};

TEST_F(Compat, CorpusIsTheGoldenOne) {
  const std::string text = golden_corpus();
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  EXPECT_EQ(std::to_string(crc), golden_.metadata().at("crc32"));
  std::vector<uint64_t> counts(static_cast<size_t>(vocabulary_.size()));
  CompatReader reader(text);
  for (std::string_view word; reader.next(word);) {
    const int32_t id = vocabulary_.find(word);
    if (id >= 0) ++counts[static_cast<size_t>(id)];
  }
  EXPECT_EQ(counts, vocabulary_.counts());
}

TEST_F(Compat, SkipgramWithNoiseWords) {
  expect_golden("skipgram.ns", Architecture::skipgram, VectorLoss::negative_sampling);
}
TEST_F(Compat, SkipgramWithTree) {
  expect_golden("skipgram.hs", Architecture::skipgram, VectorLoss::hierarchical_softmax);
}
TEST_F(Compat, CbowWithNoiseWords) { expect_golden("cbow.ns", Architecture::cbow, VectorLoss::negative_sampling); }
TEST_F(Compat, CbowWithTree) { expect_golden("cbow.hs", Architecture::cbow, VectorLoss::hierarchical_softmax); }

TEST_F(Compat, ThreadsShareTheTextAndTheWords) {
  VectorOptions options = golden_options(Architecture::skipgram, VectorLoss::negative_sampling);
  VectorTables tables = word2vec_tables(options, vocabulary_.size());
  const VectorRun run = train_as_word2vec(options, vocabulary_, corpus_, tables, 2);
  const auto total = static_cast<double>(vocabulary_.total() * 3);
  EXPECT_NEAR(static_cast<double>(run.position.words), total, 0.06 * total);  // quotas end between sentences
  EXPECT_LT(run.loss, std::log(2.0));
  EXPECT_GT(run.loss, 0.2);
  EXPECT_GT(run.flops, 1e6);
}

TEST_F(Compat, StopsWhenProgressSaysSo) {
  VectorOptions options = golden_options(Architecture::skipgram, VectorLoss::negative_sampling);
  options.epochs = 1000;
  VectorTables tables = word2vec_tables(options, vocabulary_.size());
  uint64_t total = 0;
  const VectorRun run =
      train_as_word2vec(options, vocabulary_, corpus_, tables, 2, [&](const VectorProgress& progress) {
        total = progress.total_words;
        EXPECT_LT(progress.rate, 0.025);
        return false;
      });
  EXPECT_FALSE(run.finished);
  EXPECT_EQ(total, vocabulary_.total() * 1000);
  EXPECT_LT(run.position.words, total / 2);
}

TEST_F(Compat, RefusesWhatTheOriginalHasNot) {
  VectorOptions options = golden_options(Architecture::skipgram, VectorLoss::negative_sampling);
  VectorTables tables = word2vec_tables(options, 2);
  const Vocabulary no_end({{"a", 2}, {"b", 1}});
  EXPECT_THROW(train_as_word2vec(options, no_end, corpus_, tables, 1), Error);
  EXPECT_THROW(train_as_word2vec(options, Vocabulary({{"</s>", 2}}, true), corpus_, tables, 1), Error);
  options.max_n = 6;
  EXPECT_THROW(train_as_word2vec(options, vocabulary_, corpus_, tables, 1), Error);
}

/// InitUnigramTable of word2vec.c.
std::vector<int32_t> noise_table(const std::vector<uint64_t>& counts, double exponent, size_t size) {
  double sum = 0;
  for (const uint64_t count : counts) sum += std::pow(static_cast<double>(count), exponent);
  std::vector<int32_t> table;
  size_t word = 0;
  double share = std::pow(static_cast<double>(counts[0]), exponent) / sum;
  while (table.size() < size) {
    const double at = static_cast<double>(table.size()) / static_cast<double>(size);
    table.push_back(static_cast<int32_t>(word));
    if (at > share && word + 1 < counts.size()) share += std::pow(static_cast<double>(counts[++word]), exponent) / sum;
  }
  return table;
}

TEST(CompatNoise, HoldsWhatTheTableHolds) {
  std::vector<uint64_t> zipf = {0};
  for (uint64_t i = 1; i < 500; ++i) zipf.push_back(100000 / i);
  const std::vector<std::vector<uint64_t>> vocabularies = {{1}, {5, 5}, {0, 3, 3, 1}, {1000000, 1, 1, 1}, zipf};
  for (const auto& counts : vocabularies) {
    for (const uint64_t size : {uint64_t{10}, uint64_t{1000}, uint64_t{99991}}) {
      const CompatNoiseTable table(counts, 0.75, size);
      const std::vector<int32_t> expected = noise_table(counts, 0.75, size);
      for (uint64_t i = 0; i < size; ++i) {
        ASSERT_EQ(table.at(i), expected[i]) << "index " << i << " of " << size << ", " << counts.size() << " words";
      }
    }
  }
}

TEST(CompatStep, BeyondSixNoiseWordsSaturateAndNodesAreLeftOut) {
  RowTable rows(4, 3);  // hidden, error, and the rows of two targets
  const auto step = [&](float first, float second, VectorLoss loss) {
    for (int64_t i = 0; i < 4; ++i) std::fill_n(rows.row(i), 3, 0.0F);
    rows.row(0)[0] = 1;
    rows.row(2)[0] = first, rows.row(3)[0] = second;
    std::vector<CompatTarget> targets = {{rows.row(2), 1}, {rows.row(3), 0}};
    compat_step(targets, rows.row(0), rows.row(1), rows.stride, 0.5F, loss, CompatSigmoid());
    EXPECT_EQ(targets[0].score, first);
    EXPECT_EQ(targets[1].score, second);
    return std::vector<float>{rows.row(1)[0], rows.row(2)[0], rows.row(3)[0]};
  };
  for_each_instruction_set([&](const char* instructions) {
    SCOPED_TRACE(instructions);
    const VectorLoss noise = VectorLoss::negative_sampling, tree = VectorLoss::hierarchical_softmax;
    EXPECT_THAT(step(-7, 8, noise), testing::ElementsAre(0.5F * -7 - 0.5F * 8, -6.5F, 7.5F));
    EXPECT_THAT(step(7, -8, noise), testing::ElementsAre(0, 7, -8));
    EXPECT_THAT(step(-7, 8, tree), testing::ElementsAre(0, -7, 8));
    EXPECT_THAT(step(-6, 6, tree), testing::ElementsAre(0, -6, 6));
    EXPECT_LT(step(-6, 6, noise)[2], 5.6F);
  });
}

TEST(CompatSigmoid, StepsByAnInteger) {
  const CompatSigmoid sigmoid;
  const auto entry = [](int i) { return 1 / (1 + std::exp(-(i / 1000.0 * 2 - 1) * 6)); };
  EXPECT_NEAR(sigmoid(-6), entry(0), 1e-6);
  EXPECT_NEAR(sigmoid(0), entry(498), 1e-6);  // 0.494
  EXPECT_NEAR(sigmoid(6), entry(996), 1e-6);
}

TEST(CompatReader, CutsAsReadWordDoes) {
  const std::string text = "  one\ttwo\r\n\n\r th\rree " + std::string(98, 'a') + " " + std::string(99, 'b') + "\n" +
                           std::string(300, 'c') + " </s> last";
  CompatReader reader(text);
  std::vector<std::string> words;
  for (std::string_view word; reader.next(word);) words.emplace_back(word);
  EXPECT_THAT(words, testing::ElementsAre("one", "two", "</s>", "</s>", "three", std::string(98, 'a'),
                                          std::string(98, 'b'), "</s>", std::string(98, 'c'), "</s>"));
  reader.seek(4);
  std::string_view word;
  ASSERT_TRUE(reader.next(word));
  EXPECT_EQ(word, "e");
  reader.seek(text.size());
  EXPECT_FALSE(reader.next(word));
}

}  // namespace
}  // namespace sesame
