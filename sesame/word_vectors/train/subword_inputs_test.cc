#include "sesame/word_vectors/train/subword_inputs.h"

#include <gtest/gtest.h>

#include <vector>

namespace sesame {
namespace {

constexpr int32_t kWords = 6;
constexpr int64_t kBuckets = 5000;  // so many that no n-grams of a word share one
constexpr int64_t kDim = 20;

struct Fixture {
  VectorOptions options;
  Vocabulary vocabulary =
      Vocabulary::in_order({{"one", 1}, {"two", 1}, {"three", 1}, {"four", 1}, {"five", 1}, {"six", 1}});
  SubwordIndex index;
  RowTable table{kWords + kBuckets, kDim};
  RowView view{table};
  std::vector<int32_t> text{0, 1, 2, 3, 4, 5, 0, 2};  // a word twice
  std::vector<float*> rows;
  std::vector<float> counts;

  explicit Fixture(Architecture architecture) {
    options.architecture = architecture;
    options.dim = kDim;
    options.block = 2;
    options.window = 2;
    index = SubwordIndex(vocabulary, {3, 4, kBuckets});
    for (int64_t i = 0; i < table.rows; ++i) {
      for (int64_t d = 0; d < kDim; ++d) table.row(i)[d] = static_cast<float>((i * 7 + d * 3) % 11) - 5;
    }
  }

  [[nodiscard]] BlockPlan plan(int64_t first, int64_t last) const {
    BlockPlan made;
    made.first = first;
    made.inputs = std::span(text).subspan(static_cast<size_t>(first), static_cast<size_t>(last - first));
    return made;
  }

  /// The sum or the mean of the rows of a place's word and of its n-grams, as the table has them.
  [[nodiscard]] std::vector<float> composed(int64_t place) const {
    const int32_t word = text[static_cast<size_t>(place)];
    std::vector<float> sum(table.row(word), table.row(word) + kDim);
    for (const int32_t bucket : index.of(word)) {
      for (int64_t d = 0; d < kDim; ++d) sum[static_cast<size_t>(d)] += table.row(kWords + bucket)[d];
    }
    if (options.architecture == Architecture::skipgram) {
      for (float& x : sum) x /= static_cast<float>(parts(place));
    }
    return sum;
  }
  [[nodiscard]] size_t parts(int64_t place) const { return 1 + index.of(text[static_cast<size_t>(place)]).size(); }
};

void expect_near(const float* row, const std::vector<float>& expected) {
  for (size_t d = 0; d < expected.size(); ++d) ASSERT_NEAR(row[d], expected[d], 1e-4) << d;
}

TEST(SubwordInputs, ComposeMeansOrSums) {
  for (const Architecture architecture : {Architecture::skipgram, Architecture::cbow}) {
    Fixture f(architecture);
    SubwordInputs inputs(f.options, f.index, kWords, f.view);
    const BlockPlan plan = f.plan(1, 6);
    inputs.compose(plan, f.rows, f.counts);
    ASSERT_EQ(f.rows.size(), 5u);
    for (size_t i = 0; i < 5; ++i) {
      expect_near(f.rows[i], f.composed(static_cast<int64_t>(i) + 1));
      EXPECT_EQ(f.counts[i], static_cast<float>(f.parts(static_cast<int64_t>(i) + 1)));
    }
    // A later block may begin before this one.
    inputs.give_back(plan, 0);
    inputs.compose(f.plan(0, 6), f.rows, f.counts);
    for (size_t i = 0; i < 6; ++i) expect_near(f.rows[i], f.composed(static_cast<int64_t>(i)));
  }
}

TEST(SubwordInputs, EachRowMovesByAllThatThePlaceHasMovedBy) {
  for (const Architecture architecture : {Architecture::skipgram, Architecture::cbow}) {
    Fixture f(architecture);
    SubwordInputs inputs(f.options, f.index, kWords, f.view);
    const float before = f.table.row(0)[4];
    const int32_t bucket = f.index.of(0).front();
    const float bucket_before = f.table.row(kWords + bucket)[4];
    const BlockPlan plan = f.plan(0, 2);
    for (int step = 0; step < 3; ++step) {
      inputs.compose(plan, f.rows, f.counts);
      f.rows[0][4] += 0.25F;
      inputs.give_back(plan, 0);  // later blocks need it all
      EXPECT_EQ(f.table.row(0)[4], before);
    }
    inputs.give_back(plan, 1);
    EXPECT_NEAR(f.table.row(0)[4], before + 0.75F, 1e-5);
    EXPECT_NEAR(f.table.row(kWords + bucket)[4], bucket_before + 0.75F, 1e-5);
    EXPECT_EQ(f.table.row(0)[5], static_cast<float>(5 * 3 % 11) - 5);
  }
}

TEST(SubwordInputs, APlaceThatStaysFollowsItsRows) {
  for (const Architecture architecture : {Architecture::skipgram, Architecture::cbow}) {
    Fixture f(architecture);
    SubwordInputs inputs(f.options, f.index, kWords, f.view);
    inputs.compose(f.plan(3, 4), f.rows, f.counts);
    f.rows[0][2] += 0.5F;
    inputs.give_back(f.plan(3, 4), 3);
    inputs.compose(f.plan(3, 5), f.rows, f.counts);
    const std::vector<float> kept(f.rows[0], f.rows[0] + kDim);
    inputs.give_back_all();
    expect_near(kept.data(), f.composed(3));
  }
}

}  // namespace
}  // namespace sesame
