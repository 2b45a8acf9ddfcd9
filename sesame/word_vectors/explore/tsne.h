#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/explore/cosine_kernels.h"

namespace sesame {

struct TsneOptions {
  double perplexity = 30;  // about how many neighbours a point has
  int64_t iterations = 1000;
  double exaggeration = 12;  // of the probabilities at first, so that clusters form
  int64_t exaggerated_iterations = 250;
  double rate = 0;  // learning rate; 0: points / exaggeration / 4, at least 50 (Belkina et al. 2019)
  uint64_t seed = 1;
};

struct TsneResult {
  std::vector<float> points;  // [rows, 2], around the origin
  double divergence = 0;      // Kullback-Leibler, of the probabilities as they are, in nats
};

/// A map of points in the plane in which near ones stay near: t-SNE (van der Maaten and Hinton, "Visualizing data using
/// t-SNE", JMLR 2008), exact: time and memory grow with the square of the points (10,000 take 400 MB). The same result
/// for any number of threads. `progress(iteration)` is called now and then; where it returns false, the map is returned
/// as it stands. Throws usage Error for a perplexity that is too large for so few points, or not above 1, and Error for
/// more than 20,000 points.
TsneResult tsne(const RowSpan& rows, const TsneOptions& options, ThreadPool& threads,
                const std::function<bool(int64_t)>& progress = {});

/// Probabilities that pairs of points are neighbours, [rows, stride], zero on the diagonal and beyond the rows; their
/// sum is 1.
struct PairProbabilities {
  int64_t rows = 0;
  int64_t stride = 0;  // a multiple of 16
  std::vector<float> values;

  [[nodiscard]] const float* row(int64_t i) const noexcept { return values.data() + i * stride; }
};

/// p[i, j] = (p(j | i) + p(i | j)) / (2 rows), p(j | i) normal in the distance of i and j, with a width for each i that
/// gives it the perplexity: equations 1 to 3 of the paper.
PairProbabilities pair_probabilities(const RowSpan& rows, double perplexity, ThreadPool& threads);

/// The gradient of the divergence at points x, y (equation 5), of `exaggeration` times the probabilities.
void tsne_gradient(const PairProbabilities& p, std::span<const float> x, std::span<const float> y, double exaggeration,
                   std::span<float> gradient_x, std::span<float> gradient_y, ThreadPool& threads);

/// Kullback-Leibler divergence of the pairs' probabilities in the plane from p, in nats.
double tsne_divergence(const PairProbabilities& p, std::span<const float> x, std::span<const float> y,
                       ThreadPool& threads);

}  // namespace sesame
