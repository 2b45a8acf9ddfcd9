#include "sesame/word_vectors/explore/tsne.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sesame/base/error_of.h"
#include "sesame/simd/each_instruction_set.h"
#include "sesame/word_vectors/explore/made_vectors.h"

namespace sesame {
namespace {

using ::testing::HasSubstr;

RowSpan all_rows(const WordVectors& v) { return {v.vectors.row(0), v.vectors.rows, v.vectors.dim, v.vectors.stride}; }

double distance(const WordVectors& v, int32_t i, int32_t j) {
  double square = 0;
  for (size_t d = 0; d < static_cast<size_t>(v.dim()); ++d) {
    square += (double{v.row(i)[d]} - double{v.row(j)[d]}) * (double{v.row(i)[d]} - double{v.row(j)[d]});
  }
  return square;
}

/// p(j | i) by equation 1 for the width that gives the perplexity, found by bisection in double precision.
std::vector<double> naive_conditional(const WordVectors& v, int32_t i, double perplexity) {
  double low = 0, high = 1e6;
  std::vector<double> p(static_cast<size_t>(v.size()));
  for (int trial = 0; trial < 200; ++trial) {
    const double beta = (low + high) / 2;
    double sum = 0, entropy = 0;
    for (int32_t j = 0; j < v.size(); ++j) {
      p[static_cast<size_t>(j)] = i == j ? 0 : std::exp(-beta * distance(v, i, j));
      sum += p[static_cast<size_t>(j)];
    }
    for (double& x : p) {
      x /= sum;
      if (x > 0) entropy -= x * std::log(x);
    }
    (entropy > std::log(perplexity) ? low : high) = beta;
  }
  return p;
}

TEST(Tsne, ProbabilitiesAreThePapers) {
  ThreadPool threads(2);
  const WordVectors v = made_vectors(numbered_words(70), 6);
  std::vector<std::vector<double>> conditional;
  for (int32_t i = 0; i < 70; ++i) conditional.push_back(naive_conditional(v, i, 12));
  for_each_instruction_set([&](const char* name) {
    const PairProbabilities p = pair_probabilities(all_rows(v), 12, threads);
    double sum = 0;
    for (size_t i = 0; i < 70; ++i) {
      for (size_t j = 0; j < static_cast<size_t>(p.stride); ++j) {
        const double expected = j < 70 ? (conditional[i][j] + conditional[j][i]) / 140 : 0;
        ASSERT_NEAR(double{p.row(static_cast<int64_t>(i))[j]}, expected, 1e-7) << name << " " << i << " " << j;
        sum += double{p.row(static_cast<int64_t>(i))[j]};
      }
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  });
}

TEST(Tsne, GradientIsTheDerivativeOfTheDivergence) {
  ThreadPool threads(2);
  const WordVectors v = made_vectors(numbered_words(37), 5);
  const PairProbabilities p = pair_probabilities(all_rows(v), 8, threads);
  std::vector<float> x, y;
  for (int32_t i = 0; i < 37; ++i) {
    x.push_back(3 * v.row(i)[0]);
    y.push_back(3 * v.row(i)[1]);
  }
  for_each_instruction_set([&](const char* name) {
    std::vector<float> dx(37), dy(37);
    tsne_gradient(p, x, y, 1, dx, dy, threads);
    for (size_t i = 0; i < 37; ++i) {
      for (std::vector<float>* axis : {&x, &y}) {
        const float at = (*axis)[i];
        const float step = 0x1p-8F;
        (*axis)[i] = at + step;
        const double up = tsne_divergence(p, x, y, threads);
        (*axis)[i] = at - step;
        const double down = tsne_divergence(p, x, y, threads);
        (*axis)[i] = at;
        const double expected = (up - down) / (2 * double{step});
        ASSERT_NEAR(double{axis == &x ? dx[i] : dy[i]}, expected, 2e-6) << name << " point " << i;
      }
    }
  });
}

TEST(Tsne, ExaggerationScalesTheAttractionAlone) {
  ThreadPool threads(1);
  const WordVectors v = made_vectors(numbered_words(20), 5);
  const PairProbabilities p = pair_probabilities(all_rows(v), 4, threads);
  std::vector<float> x, y;
  for (int32_t i = 0; i < 20; ++i) {
    x.push_back(v.row(i)[0]);
    y.push_back(v.row(i)[1]);
  }
  std::vector<float> g[3], unused(20);
  for (int e = 0; e < 3; ++e) {
    g[e].resize(20);
    tsne_gradient(p, x, y, e, g[e], unused, threads);
  }
  for (size_t i = 0; i < 20; ++i) EXPECT_NEAR(g[2][i] - g[1][i], g[1][i] - g[0][i], 1e-6);
  EXPECT_GT(std::abs(g[1][0] - g[0][0]), 1e-4);
}

/// Three clouds of 40 points, far from each other.
WordVectors clouds() {
  WordVectors v = made_vectors(numbered_words(120), 10);
  for (int64_t i = 0; i < 120; ++i) v.vectors.row(i)[i / 40] += 8;
  return v;
}

TEST(Tsne, CloudsStayApart) {
  ThreadPool threads(2);
  const WordVectors v = clouds();
  TsneOptions options;
  options.perplexity = 15;
  options.iterations = 500;
  const TsneResult result = tsne(all_rows(v), options, threads);
  ASSERT_EQ(result.points.size(), 240U);
  const auto squared = [&](size_t i, size_t j) {
    return std::pow(double{result.points[2 * i] - result.points[2 * j]}, 2) +
           std::pow(double{result.points[2 * i + 1] - result.points[2 * j + 1]}, 2);
  };
  int strangers = 0;
  for (size_t i = 0; i < 120; ++i) {
    size_t nearest = i == 0 ? 1 : 0;
    for (size_t j = 0; j < 120; ++j) nearest = j != i && squared(i, j) < squared(i, nearest) ? j : nearest;
    strangers += nearest / 40 == i / 40 ? 0 : 1;
  }
  EXPECT_EQ(strangers, 0);
  const PairProbabilities p = pair_probabilities(all_rows(v), 15, threads);
  std::vector<float> x, y;
  for (size_t i = 0; i < 120; ++i) {
    x.push_back(result.points[2 * i]);
    y.push_back(result.points[2 * i + 1]);
  }
  EXPECT_DOUBLE_EQ(result.divergence, tsne_divergence(p, x, y, threads));
  options.iterations = 0;
  EXPECT_LT(result.divergence, 0.3 * tsne(all_rows(v), options, threads).divergence);
}

TEST(Tsne, SeedDecidesAndThreadsDoNot) {
  ThreadPool one(1), two(2);
  const WordVectors v = clouds();
  TsneOptions options;
  options.iterations = 60;
  const std::vector<float> points = tsne(all_rows(v), options, one).points;
  EXPECT_EQ(tsne(all_rows(v), options, two).points, points);
  options.seed = 2;
  EXPECT_NE(tsne(all_rows(v), options, one).points, points);
}

TEST(Tsne, StopsWhereProgressSaysSo) {
  ThreadPool threads(1);
  const WordVectors v = clouds();
  int64_t calls = 0;
  (void)tsne(all_rows(v), {}, threads, [&](int64_t iteration) { return (calls = iteration) < 7; });
  EXPECT_EQ(calls, 7);
}

TEST(Tsne, EqualPointsAreNoTrouble) {
  ThreadPool threads(1);
  WordVectors v = made_vectors(numbered_words(40), 4);
  for (int64_t i = 1; i < 30; ++i) copy_row(v, 0, i);
  TsneOptions options;
  options.perplexity = 5;
  options.iterations = 300;
  const TsneResult result = tsne(all_rows(v), options, threads);
  for (const float c : result.points) ASSERT_TRUE(std::isfinite(c));
  EXPECT_TRUE(std::isfinite(result.divergence));
}

TEST(Tsne, RefusesPerplexitiesThatDoNotGo) {
  ThreadPool threads(1);
  const WordVectors v = made_vectors(numbered_words(20), 4);
  EXPECT_THAT(error_of([&] { pair_probabilities(all_rows(v), 30, threads); }), HasSubstr("at most 6"));
  EXPECT_THAT(error_of([&] { pair_probabilities(all_rows(v), 1, threads); }), HasSubstr("above 1"));
  EXPECT_THAT(error_of([&] { pair_probabilities(all_rows(v), std::nan(""), threads); }), HasSubstr("above 1"));
}

}  // namespace
}  // namespace sesame
