#pragma once

#include <cstdint>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/explore/cosine_kernels.h"

namespace sesame {

struct PrincipalComponents {
  int64_t components = 0;
  std::vector<double> axes;      // [components, dim], orthonormal, of falling variance, the largest element positive
  std::vector<double> variance;  // [components], of the points along each axis
  double total_variance = 0;     // along all directions
  std::vector<double> points;    // [rows, components]: the rows less their mean, along the axes
};

/// The directions in which rows vary most: eigenvectors of their covariance (Pearson 1901), by subspace iteration with
/// a Rayleigh-Ritz step (Golub and Van Loan, "Matrix Computations", 8.2.4), in double precision. Throws Error for less
/// than two rows, or more components than dimensions.
PrincipalComponents principal_components(const RowSpan& rows, int64_t components, ThreadPool& threads);

}  // namespace sesame
