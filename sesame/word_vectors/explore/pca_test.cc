#include "sesame/word_vectors/explore/pca.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sesame/base/error_of.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

RowSpan all_rows(const WordVectors& v) { return {v.vectors.row(0), v.vectors.rows, v.vectors.dim, v.vectors.stride}; }

/// The covariance by its definition.
std::vector<std::vector<double>> naive_covariance(const WordVectors& v) {
  const auto n = static_cast<double>(v.size());
  const auto dim = static_cast<size_t>(v.dim());
  std::vector<double> mean(dim);
  for (int32_t i = 0; i < v.size(); ++i)
    for (size_t d = 0; d < dim; ++d) mean[d] += double{v.row(i)[d]} / n;
  std::vector<std::vector<double>> c(dim, std::vector<double>(dim));
  for (int32_t i = 0; i < v.size(); ++i) {
    for (size_t a = 0; a < dim; ++a)
      for (size_t b = 0; b < dim; ++b)
        c[a][b] += (double{v.row(i)[a]} - mean[a]) * (double{v.row(i)[b]} - mean[b]) / (n - 1);
  }
  return c;
}

/// Axes are orthonormal, each is an eigenvector of the covariance with its variance.
void expect_eigenvectors(const WordVectors& v, const PrincipalComponents& pca) {
  const auto c = naive_covariance(v);
  const auto dim = static_cast<size_t>(v.dim());
  for (size_t i = 0; i < static_cast<size_t>(pca.components); ++i) {
    const double* axis = pca.axes.data() + i * dim;
    for (size_t j = 0; j <= i; ++j) {
      double product = 0;
      for (size_t d = 0; d < dim; ++d) product += axis[d] * pca.axes[j * dim + d];
      EXPECT_NEAR(product, i == j ? 1 : 0, 1e-10);
    }
    for (size_t a = 0; a < dim; ++a) {
      double applied = 0;
      for (size_t b = 0; b < dim; ++b) applied += c[a][b] * axis[b];
      EXPECT_NEAR(applied, pca.variance[i] * axis[a], 1e-9 * pca.variance[0]);
    }
  }
}

TEST(Pca, AllComponentsDiagonaliseTheCovariance) {
  ThreadPool threads(2);
  for (const int64_t dim : {1, 2, 17, 40}) {
    const WordVectors v = made_vectors(numbered_words(100), dim);
    const PrincipalComponents pca = principal_components(all_rows(v), dim, threads);
    expect_eigenvectors(v, pca);
    double sum = 0;
    for (size_t i = 0; i < pca.variance.size(); ++i) {
      sum += pca.variance[i];
      EXPECT_LE(pca.variance[i], pca.variance[i > 0 ? i - 1 : 0] * (1 + 1e-12));
    }
    EXPECT_NEAR(sum, pca.total_variance, 1e-9 * sum);
  }
}

TEST(Pca, TheFirstComponentsAreTheFirstOfAll) {
  ThreadPool threads(2);
  WordVectors v = made_vectors(numbered_words(300), 60);
  for (int64_t i = 0; i < 300; ++i) v.vectors.row(i)[7] *= 5;
  const PrincipalComponents all = principal_components(all_rows(v), 60, threads);
  const PrincipalComponents two = principal_components(all_rows(v), 2, threads);
  expect_eigenvectors(v, two);
  for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(two.variance[i], all.variance[i], 1e-9);
  EXPECT_GT(two.axes[7], 0.9);  // the axis along which the points were stretched, its sign the positive one
}

TEST(Pca, PointsLieAlongTheAxes) {
  ThreadPool threads(1);
  WordVectors v = made_vectors(numbered_words(4), 3);
  const float rows[4][3] = {{13, 10, 10}, {7, 10, 10}, {10, 11, 10}, {10, 9, 10}};
  for (int64_t i = 0; i < 4; ++i) std::copy_n(rows[i], 3, v.vectors.row(i));
  const PrincipalComponents pca = principal_components(all_rows(v), 2, threads);
  const double expected[8] = {3, 0, -3, 0, 0, 1, 0, -1};
  for (size_t i = 0; i < 8; ++i) EXPECT_NEAR(pca.points[i], expected[i], 1e-9);
  EXPECT_NEAR(pca.variance[0], 6, 1e-9);
  EXPECT_NEAR(pca.variance[1], 2.0 / 3, 1e-9);
  EXPECT_NEAR(pca.total_variance, 6 + 2.0 / 3, 1e-9);
}

TEST(Pca, PointsThatAreAllEqual) {
  ThreadPool threads(1);
  WordVectors v = made_vectors(numbered_words(5), 4);
  for (int64_t i = 1; i < 5; ++i) copy_row(v, 0, i);
  const PrincipalComponents pca = principal_components(all_rows(v), 2, threads);
  for (const double p : pca.points) EXPECT_NEAR(p, 0, 1e-9);
}

TEST(Pca, SameForAnyNumberOfThreads) {
  ThreadPool one(1), two(2);
  const WordVectors v = made_vectors(numbered_words(200), 30);
  EXPECT_EQ(principal_components(all_rows(v), 3, one).points, principal_components(all_rows(v), 3, two).points);
}

TEST(Pca, RefusesTooFew) {
  ThreadPool threads(1);
  const WordVectors v = made_vectors(numbered_words(5), 3);
  EXPECT_THAT(error_of([&] { principal_components({v.vectors.row(0), 1, 3, 16}, 2, threads); }), HasSubstr("not 1"));
  EXPECT_THAT(error_of([&] { principal_components(all_rows(v), 4, threads); }), HasSubstr("4 of vectors with 3"));
}

}  // namespace
}  // namespace sesame
