#include "sesame/word_vectors/explore/search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sesame/base/error_of.h"
#include "sesame/simd/each_instruction_set.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t d = 0; d < a.size(); ++d) {
    ab += double{a[d]} * double{b[d]};
    aa += double{a[d]} * double{a[d]};
    bb += double{b[d]} * double{b[d]};
  }
  return ab / std::sqrt(aa * bb);
}

TEST(Search, CosinesAreThoseOfDoublePrecision) {
  ThreadPool threads(2);
  for (const int64_t dim : {1, 3, 16, 37, 100}) {
    for (const int64_t words : {1, 15, 33, 700}) {
      const WordVectors vectors = made_vectors(numbered_words(words), dim);
      const VectorSearch search(vectors, threads);
      for (const int64_t count : {1, 3, 4, 5, 14, 31}) {
        std::vector<float> queries;
        for (int64_t q = 0; q < count; ++q) {
          const std::span<const float> unit = search.unit(q * 5 % words);
          queries.insert(queries.end(), unit.begin(), unit.end());
        }
        std::vector<float> out(static_cast<size_t>(count * words), 9.0F);
        for_each_instruction_set([&](const char* name) {
          search.cosines(queries, count, out);
          for (int64_t q = 0; q < count; ++q) {
            for (int64_t i = 0; i < words; ++i) {
              ASSERT_NEAR(
                  out[static_cast<size_t>(q * words + i)],
                  cosine(vectors.row(static_cast<int32_t>(q * 5 % words)), vectors.row(static_cast<int32_t>(i))), 1e-6)
                  << name << " dim " << dim << " words " << words << " query " << q << " of " << count;
            }
          }
        });
      }
    }
  }
}

TEST(Search, UnitRowsHaveLengthOneAndZerosStay) {
  ThreadPool threads(2);
  WordVectors vectors = made_vectors(numbered_words(5), 20);
  for (int64_t d = 0; d < 20; ++d) vectors.vectors.row(3)[d] = 0;
  const VectorSearch search(vectors, threads);
  for (int64_t i = 0; i < 5; ++i) {
    double square = 0;
    for (const float x : search.unit(i)) square += double{x} * double{x};
    EXPECT_NEAR(square, i == 3 ? 0 : 1, 1e-6);
  }
}

TEST(Search, NearestComeInOrderAndLeaveOutTheExcluded) {
  ThreadPool threads(2);
  const WordVectors vectors = made_vectors(numbered_words(9000), 10);
  const VectorSearch search(vectors, threads);
  const std::span<const float> query = vectors.row(4711);
  const std::vector<int32_t> excluded = {4711, 8999, 0};
  std::vector<Neighbor> expected;
  for (int32_t i = 0; i < 9000; ++i) {
    if (i != 4711 && i != 8999 && i != 0) expected.push_back({i, static_cast<float>(cosine(query, vectors.row(i)))});
  }
  std::sort(expected.begin(), expected.end(), comes_before);
  const std::vector<Neighbor> found = search.nearest(query, 100, excluded);
  ASSERT_EQ(found.size(), 100U);
  for (size_t i = 0; i < 100; ++i) {
    EXPECT_NEAR(found[i].score, expected[i].score, 1e-6);
    EXPECT_NEAR(cosine(query, vectors.row(found[i].id)), expected[i].score, 1e-6);
  }
  EXPECT_EQ(search.nearest(query, 1)[0].id, 4711);
  EXPECT_EQ(search.nearest(query, 100000, excluded).size(), 8997U);
  EXPECT_TRUE(search.nearest(query, 0).empty());
}

TEST(Search, TiesGoToTheSmallerId) {
  WordVectors vectors = made_vectors(numbered_words(9000), 30);
  for (const int64_t copy : {8998, 6, 4100, 77}) copy_row(vectors, 5000, copy);
  for (const int count : {1, 2}) {
    ThreadPool threads(count);
    const VectorSearch search(vectors, threads);
    std::vector<int32_t> ids;
    for (const Neighbor& n : search.nearest(vectors.row(5000), 3)) ids.push_back(n.id);
    EXPECT_EQ(ids, (std::vector<int32_t>{6, 77, 4100}));
  }
}

TEST(Search, OnlyTheFirstWordsWhereAskedFor) {
  ThreadPool threads(1);
  const WordVectors vectors = made_vectors(numbered_words(50), 8);
  const VectorSearch search(vectors, threads, 10);
  EXPECT_EQ(search.size(), 10);
  for (const Neighbor& n : search.nearest(vectors.row(30), 50)) EXPECT_LT(n.id, 10);
  EXPECT_EQ(VectorSearch(vectors, threads, 1000).size(), 50);
}

TEST(Search, RefusesQueriesWithoutDirection) {
  ThreadPool threads(1);
  const WordVectors vectors = made_vectors(numbered_words(5), 4);
  const VectorSearch search(vectors, threads);
  const std::vector<float> zeros(4), nan(4, std::numeric_limits<float>::quiet_NaN()), five(5, 1.0F);
  EXPECT_THAT(error_of([&] { (void)search.nearest(zeros, 1); }), HasSubstr("no direction"));
  EXPECT_THAT(error_of([&] { (void)search.nearest(nan, 1); }), HasSubstr("no direction"));
  EXPECT_THAT(error_of([&] { (void)search.nearest(five, 1); }), HasSubstr("5 numbers for vectors of 4"));
  std::vector<float> out(5);
  EXPECT_THAT(error_of([&] { search.cosines(five, 1, out); }), HasSubstr("4 numbers"));
}

}  // namespace
}  // namespace sesame
