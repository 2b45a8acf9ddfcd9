#include "sesame/word_vectors/explore/pca.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sesame/base/error.h"
#include "sesame/base/philox.h"

namespace sesame {
namespace {

/// A matrix of doubles, rows one behind the other.
struct Matrix {
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<double> values;

  Matrix(int64_t r, int64_t c) : rows(r), columns(c), values(static_cast<size_t>(r * c)) {}
  [[nodiscard]] double* row(int64_t i) { return values.data() + i * columns; }
  [[nodiscard]] const double* row(int64_t i) const { return values.data() + i * columns; }
  [[nodiscard]] double& at(int64_t i, int64_t j) { return values[static_cast<size_t>(i * columns + j)]; }
};

double dot(const double* a, const double* b, int64_t n) { return std::inner_product(a, a + n, b, 0.0); }

std::vector<double> mean_of(const RowSpan& rows) {
  std::vector<double> mean(static_cast<size_t>(rows.dim));
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t d = 0; d < rows.dim; ++d)
      mean[static_cast<size_t>(d)] += static_cast<double>(rows.first[i * rows.stride + d]);
  }
  for (double& m : mean) m /= static_cast<double>(rows.rows);
  return mean;
}

/// [rows, dim], less the mean.
Matrix centred(const RowSpan& rows) {
  const std::vector<double> mean = mean_of(rows);
  Matrix x(rows.rows, rows.dim);
  for (int64_t i = 0; i < rows.rows; ++i) {
    for (int64_t d = 0; d < rows.dim; ++d) {
      x.at(i, d) = static_cast<double>(rows.first[i * rows.stride + d]) - mean[static_cast<size_t>(d)];
    }
  }
  return x;
}

/// [dim, dim], with rows - 1 as the divisor.
Matrix covariance(const Matrix& x, ThreadPool& threads) {
  Matrix c(x.columns, x.columns);
  threads.run(x.columns, [&](int64_t i, int) {
    double* row = c.row(i);
    for (int64_t n = 0; n < x.rows; ++n) {
      const double* point = x.row(n);
      for (int64_t j = 0; j < x.columns; ++j) row[j] += point[i] * point[j];
    }
    for (int64_t j = 0; j < x.columns; ++j) row[j] /= static_cast<double>(x.rows - 1);
  });
  return c;
}

/// [q.rows, c.columns]: each row of q times the symmetric c.
Matrix apply(const Matrix& c, const Matrix& q, ThreadPool& threads) {
  Matrix out(q.rows, q.columns);
  threads.run(q.rows, [&](int64_t i, int) {
    for (int64_t d = 0; d < c.rows; ++d) out.at(i, d) = dot(c.row(d), q.row(i), c.columns);
  });
  return out;
}

/// Makes the rows orthonormal by Gram and Schmidt's process, twice, as once is not enough in floating point. A row that
/// depends on those before it is drawn anew.
void orthonormalise(Matrix& q) {
  for (int64_t i = 0; i < q.rows; ++i) {
    double* row = q.row(i);
    for (uint64_t trial = 0; trial < 5; ++trial) {
      const double before = std::sqrt(dot(row, row, q.columns));
      for (int pass = 0; pass < 2; ++pass) {
        for (int64_t j = 0; j < i; ++j) {
          const double share = dot(row, q.row(j), q.columns);
          for (int64_t d = 0; d < q.columns; ++d) row[d] -= share * q.at(j, d);
        }
      }
      const double length = std::sqrt(dot(row, row, q.columns));
      if (length > 1e-12 * before && length > 0) {
        for (int64_t d = 0; d < q.columns; ++d) row[d] /= length;
        break;
      }
      const Philox random(trial, static_cast<uint64_t>(i));
      for (int64_t d = 0; d < q.columns; ++d)
        row[d] = static_cast<double>(Philox::uniform(random.word(static_cast<uint64_t>(d), 1))) - 0.5;
    }
  }
}

/// One rotation of Jacobi's method: makes h[p, q] zero, and turns the rows p and q of `vectors` along.
void rotate(Matrix& h, Matrix& vectors, int64_t p, int64_t q) {
  const double theta = (h.at(q, q) - h.at(p, p)) / (2 * h.at(p, q));
  const double t = std::copysign(1 / (std::abs(theta) + std::hypot(theta, 1)), theta);
  const double c = 1 / std::hypot(t, 1), s = t * c;
  for (int64_t k = 0; k < h.rows; ++k) {
    const double kp = h.at(k, p), kq = h.at(k, q);
    h.at(k, p) = c * kp - s * kq;
    h.at(k, q) = s * kp + c * kq;
  }
  for (int64_t k = 0; k < h.rows; ++k) {
    const double pk = h.at(p, k), qk = h.at(q, k);
    h.at(p, k) = c * pk - s * qk;
    h.at(q, k) = s * pk + c * qk;
    const double vp = vectors.at(p, k), vq = vectors.at(q, k);
    vectors.at(p, k) = c * vp - s * vq;
    vectors.at(q, k) = s * vp + c * vq;
  }
}

/// Eigenvectors of a small symmetric matrix as rows, by falling eigenvalue (Jacobi 1846).
Matrix eigenvectors(Matrix h) {
  Matrix vectors(h.rows, h.rows);
  for (int64_t i = 0; i < h.rows; ++i) vectors.at(i, i) = 1;
  constexpr int kSweeps = 60;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double off = 0, diagonal = 0;
    for (int64_t p = 0; p < h.rows; ++p) {
      diagonal += h.at(p, p) * h.at(p, p);
      for (int64_t q = p + 1; q < h.rows; ++q) off += h.at(p, q) * h.at(p, q);
    }
    if (off <= 1e-30 * diagonal) break;
    for (int64_t p = 0; p < h.rows; ++p) {
      for (int64_t q = p + 1; q < h.rows; ++q) {
        if (h.at(p, q) != 0) rotate(h, vectors, p, q);
      }
    }
  }
  std::vector<int64_t> order(static_cast<size_t>(h.rows));
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return h.at(a, a) > h.at(b, b); });
  Matrix sorted(h.rows, h.rows);
  for (int64_t i = 0; i < h.rows; ++i) std::copy_n(vectors.row(order[static_cast<size_t>(i)]), h.rows, sorted.row(i));
  return sorted;
}

/// Turns the rows of q into the best approximations of eigenvectors of c that they span.
void rayleigh_ritz(const Matrix& c, Matrix& q, ThreadPool& threads) {
  const Matrix cq = apply(c, q, threads);
  Matrix h(q.rows, q.rows);
  for (int64_t i = 0; i < q.rows; ++i) {
    for (int64_t j = 0; j <= i; ++j) h.at(i, j) = h.at(j, i) = dot(cq.row(i), q.row(j), q.columns);
  }
  const Matrix turn = eigenvectors(h);
  Matrix turned(q.rows, q.columns);
  for (int64_t i = 0; i < q.rows; ++i) {
    for (int64_t j = 0; j < q.rows; ++j) {
      const double share = turn.row(i)[j];
      for (int64_t d = 0; d < q.columns; ++d) turned.at(i, d) += share * q.at(j, d);
    }
  }
  q = std::move(turned);
}

/// The largest |c q - variance q| over the first rows, as a part of the largest variance.
double residual(const Matrix& c, const Matrix& q, int64_t rows, ThreadPool& threads) {
  const Matrix cq = apply(c, q, threads);
  double most = 0, largest = 0;
  for (int64_t i = 0; i < rows; ++i) {
    const double variance = dot(cq.row(i), q.row(i), q.columns);
    double square = 0;
    for (int64_t d = 0; d < q.columns; ++d) {
      const double r = cq.row(i)[d] - variance * q.row(i)[d];
      square += r * r;
    }
    most = std::max(most, std::sqrt(square));
    largest = std::max(largest, std::abs(variance));
  }
  return largest > 0 ? most / largest : 0;
}

/// [components, dim] and some more rows, which make it converge faster.
Matrix leading_eigenvectors(const Matrix& c, int64_t components, ThreadPool& threads) {
  constexpr int64_t kMore = 8;
  constexpr int kMostRounds = 500;
  Matrix q(std::min(c.rows, components + kMore), c.columns);
  const Philox random(0, 0);
  for (size_t i = 0; i < q.values.size(); ++i)
    q.values[i] = static_cast<double>(Philox::uniform(random.word(i, 0))) - 0.5;
  for (int round = 0; round < kMostRounds; ++round) {
    orthonormalise(q);
    rayleigh_ritz(c, q, threads);
    if (residual(c, q, components, threads) < 1e-10) break;
    q = apply(c, q, threads);
  }
  orthonormalise(q);
  return q;
}

void make_largest_positive(double* axis, int64_t dim) {
  const double* largest =
      std::max_element(axis, axis + dim, [](double a, double b) { return std::abs(a) < std::abs(b); });
  if (*largest < 0) std::transform(axis, axis + dim, axis, std::negate<>());
}

}  // namespace

PrincipalComponents principal_components(const RowSpan& rows, int64_t components, ThreadPool& threads) {
  if (rows.rows < 2) fail(fmt::format("principal components: two points at least are needed, not {}", rows.rows));
  if (components < 1 || components > rows.dim) {
    fail(fmt::format("principal components: {} of vectors with {} dimensions are not possible", components, rows.dim));
  }
  const Matrix x = centred(rows);
  const Matrix c = covariance(x, threads);
  Matrix q = leading_eigenvectors(c, components, threads);
  const Matrix cq = apply(c, q, threads);
  PrincipalComponents result;
  result.components = components;
  for (int64_t d = 0; d < c.rows; ++d) result.total_variance += c.row(d)[d];
  for (int64_t i = 0; i < components; ++i) {
    result.variance.push_back(dot(cq.row(i), q.row(i), q.columns));
    make_largest_positive(q.row(i), q.columns);
  }
  result.axes.assign(q.row(0), q.row(0) + components * q.columns);
  for (int64_t n = 0; n < x.rows; ++n) {
    for (int64_t i = 0; i < components; ++i) result.points.push_back(dot(x.row(n), q.row(i), x.columns));
  }
  return result;
}

}  // namespace sesame
