#include "sesame/word_vectors/explore/tsne.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "sesame/base/error.h"
#include "sesame/base/philox.h"
#include "sesame/word_vectors/explore/tsne_kernels.h"
#include "sesame/word_vectors/train/tables.h"

namespace sesame {
namespace {

constexpr int64_t kBlockRows = 32;

int64_t blocks_of(int64_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

/// f(row) for every row, on all threads.
template <typename F>
void for_each_row(int64_t rows, ThreadPool& threads, F f) {
  threads.run(blocks_of(rows), [&](int64_t block, int) {
    for (int64_t i = block * kBlockRows; i < std::min(rows, (block + 1) * kBlockRows); ++i) f(i);
  });
}

/// |row|^2 of each.
std::vector<float> squares_of(const RowSpan& rows) {
  std::vector<float> squares;
  for (int64_t i = 0; i < rows.rows; ++i) {
    const float* row = rows.first + i * rows.stride;
    squares.push_back(std::inner_product(row, row + rows.dim, row, 0.0F));
  }
  return squares;
}

/// distances[j] = |row i - row j|^2, less the smallest of the others: exponents are then 0 at most, and one is 0. That
/// of row i with itself is 0.
void distances_from(const RowSpan& rows, std::span<const float> squares, int64_t i, std::span<float> distances) {
  const auto self = static_cast<size_t>(i);
  multiply_row(rows.first + i * rows.stride, rows, distances.data());
  float nearest = std::numeric_limits<float>::infinity();
  for (size_t j = 0; j < distances.size(); ++j) {
    distances[j] = std::max(0.0F, squares[self] + squares[j] - 2 * distances[j]);
    if (j != self) nearest = std::min(nearest, distances[j]);
  }
  for (float& d : distances) d -= nearest;
  distances[self] = 0;
}

/// p(j | i) for one i; the width by bisection, so that the entropy is the logarithm of the perplexity.
void conditional_probabilities(std::span<const float> distances, int64_t i, double perplexity, float* out) {
  const double target = std::log(perplexity);
  double low = 0, high = std::numeric_limits<double>::infinity(), beta = 1;
  const auto self = static_cast<size_t>(i);
  const auto n = static_cast<int64_t>(distances.size());
  GaussianSums sums;
  constexpr int kMostBisections = 100;
  for (int trial = 0; trial < kMostBisections; ++trial) {
    sums = gaussian_row(distances.data(), n, static_cast<float>(beta), out);
    sums.sum -= 1;  // that of i with itself
    const double entropy = std::log(sums.sum) + beta * sums.weighted / sums.sum;
    if (std::abs(entropy - target) < 1e-5) break;
    (entropy > target ? low : high) = beta;
    beta = std::isinf(high) ? 2 * beta : (low + high) / 2;
    constexpr double kSteepest = 1e30;  // reached where points are equal: no width gives the perplexity
    if (beta > kSteepest) break;
  }
  out[self] = 0;
  for (int64_t j = 0; j < n; ++j) out[j] = static_cast<float>(static_cast<double>(out[j]) / sums.sum);
}

/// Points of the plane as the kernels read them: padded with points that lie nowhere.
struct Plane {
  std::vector<float> x, y;

  explicit Plane(int64_t stride) : x(static_cast<size_t>(stride), kNowhere), y(x) {}
};

Plane padded_plane(std::span<const float> x, std::span<const float> y, int64_t stride) {
  Plane plane(stride);
  std::copy(x.begin(), x.end(), plane.x.begin());
  std::copy(y.begin(), y.end(), plane.y.begin());
  return plane;
}

/// The gradient at the points of a plane.
class Gradient {
 public:
  Gradient(const PairProbabilities& p, ThreadPool& threads)
      : p_(p), threads_(threads), forces_(static_cast<size_t>(p.rows)) {}

  void compute(const Plane& plane, double exaggeration, std::span<float> x, std::span<float> y) {
    for_each_row(p_.rows, threads_, [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      forces_[at] = tsne_forces(p_.row(i), plane.x.data(), plane.y.data(), p_.stride, plane.x[at], plane.y[at]);
    });
    double normaliser = 0;
    for (const TsneForces& f : forces_) normaliser += f.q - 1;
    for (size_t i = 0; i < forces_.size(); ++i) {
      const TsneForces& f = forces_[i];
      x[i] = static_cast<float>(4 * (exaggeration * f.attract_x - f.repel_x / normaliser));
      y[i] = static_cast<float>(4 * (exaggeration * f.attract_y - f.repel_y / normaliser));
    }
  }

 private:
  const PairProbabilities& p_;
  ThreadPool& threads_;
  std::vector<TsneForces> forces_;
};

/// One coordinate of all points under gradient descent with momentum and a gain for each (Jacobs 1988).
class Descent {
 public:
  explicit Descent(int64_t rows)
      : gradient(static_cast<size_t>(rows)),
        velocity_(static_cast<size_t>(rows)),
        gain_(static_cast<size_t>(rows), 1.0F) {}

  std::vector<float> gradient;

  void move(std::span<float> position, float rate, float momentum) {
    double sum = 0;
    for (size_t i = 0; i < gradient.size(); ++i) {
      constexpr float kLeastGain = 0.01F;
      const bool turns_back = (gradient[i] > 0) == (velocity_[i] > 0);
      gain_[i] = turns_back ? std::max(0.8F * gain_[i], kLeastGain) : gain_[i] + 0.2F;
      velocity_[i] = momentum * velocity_[i] - rate * gain_[i] * gradient[i];
      position[i] += velocity_[i];
      sum += static_cast<double>(position[i]);
    }
    const auto mean = static_cast<float>(sum / static_cast<double>(gradient.size()));
    for (size_t i = 0; i < gradient.size(); ++i) position[i] -= mean;
  }

 private:
  std::vector<float> velocity_;
  std::vector<float> gain_;
};

/// Normal with standard deviation 1e-4 around the origin, as in the paper (Box and Muller 1958).
void scatter(Plane& plane, int64_t rows, uint64_t seed) {
  constexpr uint64_t kFirstPoints = 0x74736e65;  // a stream of its own
  const Philox random(seed, kFirstPoints);
  for (int64_t i = 0; i < rows; ++i) {
    const auto draw = random.block(static_cast<uint64_t>(i), 0);
    const double radius = 1e-4 * std::sqrt(-2 * std::log(1 - static_cast<double>(Philox::uniform(draw[0]))));
    const double angle = 2 * std::numbers::pi * static_cast<double>(Philox::uniform(draw[1]));
    plane.x[static_cast<size_t>(i)] = static_cast<float>(radius * std::cos(angle));
    plane.y[static_cast<size_t>(i)] = static_cast<float>(radius * std::sin(angle));
  }
}

}  // namespace

PairProbabilities pair_probabilities(const RowSpan& rows, double perplexity, ThreadPool& threads) {
  const int64_t n = rows.rows;
  if (!(perplexity > 1) || 3 * perplexity > static_cast<double>(n - 1)) {
    fail_usage(fmt::format("t-SNE: a perplexity of {} does not go with {} points; it must be above 1 and at most {}",
                           perplexity, n, (n - 1) / 3));
  }
  constexpr int64_t kMostRows = 20'000;
  if (n > kMostRows) {
    fail(fmt::format("t-SNE: {} points; it compares all pairs, and takes at most {} points", n, kMostRows));
  }
  PairProbabilities p{n, row_stride(n), {}};
  p.values.resize(static_cast<size_t>(n * p.stride));
  const std::vector<float> squares = squares_of(rows);
  std::vector<std::vector<float>> distances(static_cast<size_t>(threads.threads()),
                                            std::vector<float>(static_cast<size_t>(n)));
  threads.run(blocks_of(n), [&](int64_t block, int thread) {
    for (int64_t i = block * kBlockRows; i < std::min(n, (block + 1) * kBlockRows); ++i) {
      std::vector<float>& d = distances[static_cast<size_t>(thread)];
      distances_from(rows, squares, i, d);
      conditional_probabilities(d, i, perplexity, p.values.data() + i * p.stride);
    }
  });
  const float scale = 1 / (2 * static_cast<float>(n));
  // Row i writes its own upper half and the column below: no other row touches either.
  for_each_row(n, threads, [&](int64_t i) {
    for (int64_t j = i + 1; j < n; ++j) {
      float& upper = p.values[static_cast<size_t>(i * p.stride + j)];
      float& lower = p.values[static_cast<size_t>(j * p.stride + i)];
      upper = lower = scale * (upper + lower);
    }
  });
  return p;
}

void tsne_gradient(const PairProbabilities& p, std::span<const float> x, std::span<const float> y, double exaggeration,
                   std::span<float> gradient_x, std::span<float> gradient_y, ThreadPool& threads) {
  Gradient(p, threads).compute(padded_plane(x, y, p.stride), exaggeration, gradient_x, gradient_y);
}

double tsne_divergence(const PairProbabilities& p, std::span<const float> x, std::span<const float> y,
                       ThreadPool& threads) {
  struct Sums {
    double q = 0, divergence = 0, p = 0;
  };
  std::vector<Sums> rows(static_cast<size_t>(p.rows));
  for_each_row(p.rows, threads, [&](int64_t row) {
    const auto i = static_cast<size_t>(row);
    Sums& sums = rows[i];
    for (size_t j = 0; j < x.size(); ++j) {
      if (j == i) continue;
      const double dx = static_cast<double>(x[i] - x[j]), dy = static_cast<double>(y[i] - y[j]);
      const double square = 1 + dx * dx + dy * dy;
      const double pair = static_cast<double>(p.row(row)[j]);
      sums.q += 1 / square;
      sums.p += pair;
      if (pair > 0) sums.divergence += pair * std::log(pair * square);
    }
  });
  Sums all;
  for (const Sums& s : rows) {
    all.q += s.q;
    all.divergence += s.divergence;
    all.p += s.p;
  }
  return all.divergence + all.p * std::log(all.q);
}

TsneResult tsne(const RowSpan& rows, const TsneOptions& options, ThreadPool& threads,
                const std::function<bool(int64_t)>& progress) {
  const PairProbabilities p = pair_probabilities(rows, options.perplexity, threads);
  const auto n = static_cast<size_t>(p.rows);
  const double rate =
      options.rate > 0 ? options.rate : std::max(static_cast<double>(n) / options.exaggeration / 4, 50.0);
  Plane plane(p.stride);
  scatter(plane, p.rows, options.seed);
  const std::span<float> x = std::span(plane.x).first(n), y = std::span(plane.y).first(n);
  Gradient gradient(p, threads);
  Descent along_x(p.rows), along_y(p.rows);
  for (int64_t t = 0; t < options.iterations; ++t) {
    const bool early = t < options.exaggerated_iterations;
    gradient.compute(plane, early ? options.exaggeration : 1, along_x.gradient, along_y.gradient);
    const float momentum = early ? 0.5F : 0.8F;
    along_x.move(x, static_cast<float>(rate), momentum);
    along_y.move(y, static_cast<float>(rate), momentum);
    if (progress && !progress(t + 1)) break;
  }
  TsneResult result;
  for (size_t i = 0; i < n; ++i) {
    result.points.push_back(x[i]);
    result.points.push_back(y[i]);
  }
  result.divergence = tsne_divergence(p, x, y, threads);
  return result;
}

}  // namespace sesame
