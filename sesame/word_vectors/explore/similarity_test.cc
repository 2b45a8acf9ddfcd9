#include "sesame/word_vectors/explore/similarity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sesame/base/error_of.h"
#include "sesame/base/file.h"
#include "sesame/base/philox.h"
#include "sesame/base/test_data.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Counts, for each value, those below it and those equal to it.
std::vector<double> naive_ranks(const std::vector<double>& values) {
  std::vector<double> ranks;
  for (const double v : values) {
    double below = 0, equal = 0;
    for (const double w : values) {
      below += w < v ? 1 : 0;
      equal += w == v ? 1 : 0;
    }
    ranks.push_back(below + (equal + 1) / 2);
  }
  return ranks;
}

TEST(Spearman, PublishedExampleWithoutTies) {
  // IQ and hours of television, the worked example of many textbooks: rho = -29/165.
  const std::vector<double> iq = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
  const std::vector<double> hours = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
  EXPECT_NEAR(spearman_correlation(iq, hours), -29.0 / 165, 1e-12);
}

TEST(Spearman, TiesShareTheMeanOfTheirRanks) {
  EXPECT_THAT(average_ranks(std::vector<double>{5, 1, 5, 5, 0}), ElementsAre(4, 2, 4, 4, 1));
  // Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: 4.5 / sqrt(4.5 * 5).
  EXPECT_NEAR(spearman_correlation(std::vector<double>{1, 2, 2, 3}, std::vector<double>{1, 3, 2, 4}),
              4.5 / std::sqrt(22.5), 1e-12);
}

TEST(Spearman, RanksAreThoseOfACount) {
  const Philox random(3, 3);
  for (uint64_t size = 0; size < 60; ++size) {
    std::vector<double> values;
    for (uint64_t i = 0; i < size; ++i) values.push_back(random.word(i, size) % 20);
    EXPECT_EQ(average_ranks(values), naive_ranks(values));
  }
}

TEST(Pearson, ByHandAndUndefined) {
  EXPECT_NEAR(pearson_correlation(std::vector<double>{1, 2, 3}, std::vector<double>{1, 2, 4}),
              3 / std::sqrt(2 * 14.0 / 3), 1e-12);
  EXPECT_NEAR(pearson_correlation(std::vector<double>{1, 2, 3}, std::vector<double>{-2, -4, -6}), -1, 1e-12);
  EXPECT_TRUE(std::isnan(pearson_correlation(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
  EXPECT_TRUE(std::isnan(pearson_correlation(std::vector<double>{1}, std::vector<double>{1})));
  EXPECT_THAT(error_of([] { pearson_correlation(std::vector<double>{1}, std::vector<double>{}); }),
              HasSubstr("1 values"));
}

TEST(ScoredPairs, SeparatorsHeadersCommentsAndFurtherFields) {
  const auto read = [](const char* text) {
    std::string all;
    for (const ScoredPair& p : parse_scored_pairs(text, "p.txt"))
      all += p.first + "|" + p.second + "|" + std::to_string(static_cast<int>(p.score * 10)) + "\n";
    return all;
  };
  EXPECT_EQ(read("love\tsex\t6.77\r\ntiger\tcat\t7.35\r\n"), "love|sex|67\ntiger|cat|73\n");
  EXPECT_EQ(read("Word 1,Word 2,Human (mean)\nNew York,town,5\n"), "New York|town|50\n");
  EXPECT_EQ(read("word1\tword2\tPOS\tSimLex999\tconc\nold\tnew\tA\t1.58\t2.72\n"), "old|new|15\n");
  EXPECT_EQ(read("# gold\n\nsun  sunlight 50.000000\n"), "sun|sunlight|500\n");
  EXPECT_EQ(read("a;b;1e0"), "a|b|10\n");
  EXPECT_EQ(read("don't\tNew York, NY\t-2"), "don't|New York, NY|-20\n");
}

TEST(ScoredPairs, RefusesOtherLinesByNumber) {
  const auto error = [](const char* text) { return error_of([&] { parse_scored_pairs(text, "p.txt"); }); };
  EXPECT_THAT(error("a b 1\na b\n"), HasSubstr("p.txt:2: two words and a number"));
  EXPECT_THAT(error("a b 1\na b nan\n"), HasSubstr("p.txt:2"));
  EXPECT_THAT(error("a b 1\na b 1e999\n"), HasSubstr("p.txt:2"));
  EXPECT_THAT(error("header\nheader too\n"), HasSubstr("p.txt:2"));
  EXPECT_THAT(error("header\n"), HasSubstr("no line of two words"));
  EXPECT_THAT(error(""), HasSubstr("no line of two words"));
}

WordVectors plane(const std::vector<std::string>& words, const std::vector<float>& x) {
  WordVectors vectors = made_vectors(words, 2);
  for (size_t i = 0; i < words.size(); ++i) {
    vectors.vectors.row(static_cast<int64_t>(i))[0] = x[i];
    vectors.vectors.row(static_cast<int64_t>(i))[1] = 1;
  }
  return vectors;
}

TEST(Similarity, CountsWhatIsCoveredAndNamesWhatIsNot) {
  const WordVectors vectors = plane({"a", "b", "c", "israel"}, {0, 1, 2, 9});
  const std::vector<ScoredPair> pairs = {
      {"a", "b", 3}, {"a", "c", 2}, {"a", "Israel", 1}, {"a", "z", 5}, {"z", "y", 0}};
  const SimilarityResult r = evaluate_similarity(vectors, pairs);
  EXPECT_EQ(r.pairs, 5);
  EXPECT_EQ(r.covered, 3);
  EXPECT_NEAR(r.spearman, 1, 1e-12);
  EXPECT_THAT(r.unknown_words, ElementsAre("y", "z"));
  const double cosines[] = {1 / std::sqrt(2.0), 1 / std::sqrt(5.0), 1 / std::sqrt(82.0)};
  EXPECT_NEAR(r.pearson, pearson_correlation(cosines, std::vector<double>{3, 2, 1}), 1e-9);
}

TEST(Similarity, TheSpellingAsItIsComesFirst) {
  const WordVectors vectors = plane({"us", "US"}, {0, 1});
  EXPECT_EQ(find_in_any_case(vectors.vocabulary, "US"), 1);
  EXPECT_EQ(find_in_any_case(vectors.vocabulary, "Us"), 0);
  EXPECT_EQ(find_in_any_case(vectors.vocabulary, "uk"), -1);
}

TEST(Similarity, PublishedSets) {
  const std::pair<const char*, size_t> sets[] = {{"WS-353-ALL", 353}, {"WS-353-SIM", 203}, {"WS-353-REL", 252},
                                                 {"SIMLEX-999", 999}, {"MEN-TR-3k", 3000}, {"RG-65", 65},
                                                 {"MC-30", 30},       {"YP-130", 130}};
  for (const auto& [name, count] : sets) {
    const auto path = shared_data("wordvec-eval/EN-" + std::string(name) + ".txt");
    if (!path) GTEST_SKIP() << "no shared data";
    const std::vector<ScoredPair> pairs = parse_scored_pairs(read_file(*path), path->string());
    EXPECT_EQ(pairs.size(), count) << name;
    for (const ScoredPair& p : pairs) {
      EXPECT_GE(p.score, 0);
      EXPECT_LE(p.score, 50);
    }
  }
}

}  // namespace
}  // namespace sesame
