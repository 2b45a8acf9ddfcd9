#include "sesame/word_vectors/explore/held_out_loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "sesame/base/error.h"
#include "sesame/base/philox.h"
#include "sesame/base/temporary_directory.h"
#include "sesame/word_vectors/words/id_source.h"

namespace sesame {
namespace {

constexpr int32_t kEnd = IdChunk::kSentenceEnd;

Vocabulary letters() { return Vocabulary({{"a", 40}, {"b", 30}, {"c", 20}, {"d", 10}}); }

RowTable constant_rows(int64_t rows, int64_t dim, float value) {
  RowTable table(rows, dim);
  for (int64_t i = 0; i < rows; ++i) std::fill_n(table.row(i), dim, value);
  return table;
}

RowTable random_rows(int64_t rows, int64_t dim, uint64_t seed) {
  RowTable table(rows, dim);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t d = 0; d < dim; ++d) {
      table.row(i)[d] =
          Philox::uniform(Philox(seed, 0).word(static_cast<uint64_t>(d), static_cast<uint64_t>(i))) - 0.5F;
    }
  }
  return table;
}

HeldOutText random_text(size_t words) {
  HeldOutText text;
  for (size_t i = 0; i < words; ++i) {
    text.ids.push_back(static_cast<int32_t>(Philox(3, 0).word(i, 0) % 4));
    if (i % 11 == 10) text.ids.push_back(kEnd);
  }
  return text;
}

double minus_log_sigmoid(double x) { return -std::log(1 / (1 + std::exp(-x))); }

TEST(HeldOutLoss, CountsEveryPairWithinASentence) {
  ThreadPool threads(1);
  HeldOutOptions options;
  options.window = 1;
  options.negative = 0;
  const HeldOutText text = {{0, 1, 2, kEnd, 3, kEnd, 1, 1, kEnd}, 6, 0};
  const RowTable input = constant_rows(4, 2, 0.5F), output = constant_rows(4, 2, 0.25F);
  const HeldOutLoss loss = held_out_loss(options, letters(), text, input, output, threads);
  EXPECT_EQ(loss.pairs, 4U + 0U + 2U);
  EXPECT_NEAR(loss.loss, minus_log_sigmoid(0.25), 1e-12);

  options.architecture = Architecture::cbow;
  EXPECT_EQ(held_out_loss(options, letters(), text, input, output, threads).pairs, 3U + 0U + 2U);
}

TEST(HeldOutLoss, WeighsEachSideByItsRows) {
  ThreadPool threads(1);
  HeldOutOptions options;
  options.window = 1;
  options.negative = 0;
  RowTable input(2, 1), output(2, 1);
  input.row(0)[0] = 1, input.row(1)[0] = 2, output.row(0)[0] = 3, output.row(1)[0] = -5;
  const Vocabulary vocabulary({{"a", 2}, {"b", 1}});
  const HeldOutText text = {{0, 1, kEnd}, 2, 0};  // centre a with context b, centre b with context a
  EXPECT_NEAR(held_out_loss(options, vocabulary, text, input, output, threads).loss,
              (minus_log_sigmoid(2 * 3) + minus_log_sigmoid(1 * -5)) / 2, 1e-12);

  options.architecture = Architecture::cbow;
  const HeldOutText three = {{0, 1, 0, kEnd}, 3, 0};  // b between two a; a beside b twice
  EXPECT_NEAR(held_out_loss(options, vocabulary, three, input, output, threads).loss,
              (2 * minus_log_sigmoid(2 * 3) + minus_log_sigmoid(1 * -5)) / 3, 1e-12);
}

TEST(HeldOutLoss, MeanOfAWindowIsWhatCbowLooksAt) {
  ThreadPool threads(1);
  HeldOutOptions options;
  options.architecture = Architecture::cbow;
  options.window = 1;
  options.negative = 0;
  RowTable input(3, 1), output(3, 1);
  input.row(0)[0] = 1, input.row(2)[0] = 4, output.row(1)[0] = 2;
  const HeldOutText text = {{0, 1, 2, kEnd}, 3, 0};
  const Vocabulary vocabulary({{"a", 3}, {"b", 2}, {"c", 1}});
  // The centres a and c look at rows of zeros of the output.
  EXPECT_NEAR(held_out_loss(options, vocabulary, text, input, output, threads).loss,
              (minus_log_sigmoid(2.5 * 2) + 2 * std::log(2.0)) / 3, 1e-12);
}

TEST(HeldOutLoss, DrawsNoiseByCountAndLeavesTheCentreOut) {
  ThreadPool threads(2);
  HeldOutOptions options;
  options.negative = 3;
  // Only the output row of "b" is not zero, so that a draw of it shows.
  const RowTable input = constant_rows(4, 1, 1.0F);
  RowTable output(4, 1);
  output.row(1)[0] = 2;
  HeldOutText text;
  for (int i = 0; i < 40000; ++i) text.ids.push_back(2);  // centres are all "c"
  const HeldOutLoss loss = held_out_loss(options, letters(), text, input, output, threads);
  double weights[4];
  double sum = 0;
  for (int id = 0; id < 4; ++id) sum += weights[id] = std::pow(40.0 - 10 * id, 0.75);
  const double b = weights[1] / sum, zero = (weights[0] + weights[3]) / sum;
  EXPECT_NEAR(loss.loss, std::log(2.0) + 3 * (b * minus_log_sigmoid(-2) + zero * std::log(2.0)), 0.01);
  EXPECT_NEAR(static_cast<double>(loss.pairs) / 40000, 6, 0.05);  // half-widths 1..5 to both sides
}

TEST(HeldOutLoss, EndOfSentenceIsNoNoise) {
  ThreadPool threads(1);
  HeldOutOptions options;
  const Vocabulary vocabulary({{"</s>", 1000}, {"a", 3}, {"b", 3}}, true);
  const RowTable input = constant_rows(3, 1, 1.0F);
  RowTable output(3, 1);
  const HeldOutText text = {{1, 2, 1, 2, 2, kEnd}, 5, 0};
  const double before = held_out_loss(options, vocabulary, text, input, output, threads).loss;
  output.row(0)[0] = 7;
  EXPECT_EQ(held_out_loss(options, vocabulary, text, input, output, threads).loss, before);
}

TEST(HeldOutLoss, SubsamplingDropsFrequentWords) {
  ThreadPool threads(1);
  HeldOutOptions options;
  options.window = 1;
  options.sample = 0.02;
  const Vocabulary vocabulary({{"a", 900}, {"b", 100}});
  HeldOutText text;
  for (int i = 0; i < 20000; ++i) text.ids.insert(text.ids.end(), {0, 0, kEnd});
  const RowTable zeros(2, 4);
  const double kept = std::sqrt(20.0 / 900) + 20.0 / 900;  // sqrt(s T / f) + s T / f
  EXPECT_NEAR(static_cast<double>(held_out_loss(options, vocabulary, text, zeros, zeros, threads).pairs) / 40000,
              kept * kept, 0.004);
}

TEST(HeldOutLoss, SameBitsForAnyNumberOfThreads) {
  const RowTable input = random_rows(4, 20, 1), output = random_rows(4, 20, 2);
  const HeldOutText text = random_text(5000);
  for (const Architecture architecture : {Architecture::skipgram, Architecture::cbow}) {
    HeldOutOptions options;
    options.architecture = architecture;
    ThreadPool one(1), three(3);
    const double expected = held_out_loss(options, letters(), text, input, output, one).loss;
    EXPECT_EQ(held_out_loss(options, letters(), text, input, output, three).loss, expected);
    options.seed = 2;
    EXPECT_NE(held_out_loss(options, letters(), text, input, output, one).loss, expected);
  }
}

TEST(HeldOutLoss, ReadsSentencesOfKnownWords) {
  TemporaryDirectory directory;
  const auto path = directory.path() / "text.txt";
  std::ofstream(path) << "a x b\n\nc\n y \nd";
  WordSourceOptions source;
  source.sources = {path.string()};
  const HeldOutText text = read_held_out_text(source, letters());
  EXPECT_THAT(text.ids, testing::ElementsAre(0, 1, kEnd, 2, kEnd, 3, kEnd));
  EXPECT_EQ(text.words, 4U);
  EXPECT_EQ(text.unknown_words, 2U);
  std::ofstream(path) << "x y z\n";
  try {
    read_held_out_text(source, letters());
    FAIL() << "a text without known words was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("none of its 3 words is in the vocabulary of 4 words"));
  }
}

TEST(HeldOutLoss, RowsFollowTheVocabularyByWord) {
  WordVectors model;
  model.vocabulary = Vocabulary::in_order({{"c", 0}, {"a", 0}, {"b", 0}});
  model.vectors = RowTable(3, 2);
  for (int64_t i = 0; i < 3; ++i) model.vectors.row(i)[1] = static_cast<float>(i + 1);
  const RowTable rows = rows_in_order(model, Vocabulary({{"</s>", 9}, {"a", 3}, {"b", 2}, {"c", 1}}, true));
  EXPECT_EQ(rows.rows, 4);
  EXPECT_EQ(rows.row(0)[1], 0);
  EXPECT_EQ(rows.row(1)[1], 2);
  EXPECT_EQ(rows.row(2)[1], 3);
  EXPECT_EQ(rows.row(3)[1], 1);
  EXPECT_THROW(rows_in_order(model, letters()), Error);  // d is missing
}

TEST(HeldOutLoss, RefusesTablesOfOtherShapes) {
  ThreadPool threads(1);
  const RowTable rows(4, 3), tree(3, 3), narrow(4, 2);
  const HeldOutText text = random_text(20);
  EXPECT_THROW(held_out_loss({}, letters(), text, rows, tree, threads), Error);
  EXPECT_THROW(held_out_loss({}, letters(), text, rows, narrow, threads), Error);
  EXPECT_THROW(held_out_loss({}, letters(), {{0, kEnd, 1, kEnd}, 2, 0}, rows, rows, threads), Error);
  EXPECT_THROW(
      held_out_loss({}, Vocabulary::in_order({{"a", 0}, {"b", 0}, {"c", 0}, {"d", 0}}), text, rows, rows, threads),
      Error);
}

}  // namespace
}  // namespace sesame
