#pragma once

#include <cstdint>

namespace sesame {

/// What row i of the probabilities gives for point i of the plane, with q = 1 / (1 + distance^2) to each point.
struct TsneForces {
  double q = 0;                         // sum of q, that of the point with itself (1) included
  double attract_x = 0, attract_y = 0;  // sum of p q (x_i - x_j)
  double repel_x = 0, repel_y = 0;      // sum of q^2 (x_i - x_j)
};

/// Where points beyond the last one lie: so far away that they count for nothing.
constexpr float kNowhere = 1e15F;

/// Over `stride` points, a multiple of 16, those beyond the last at kNowhere with probability 0.
TsneForces tsne_forces(const float* probabilities, const float* x, const float* y, int64_t stride, float x_i,
                       float y_i);

struct GaussianSums {
  double sum = 0;       // of out
  double weighted = 0;  // of out[j] distances[j]
};

/// out[j] = exp(-beta distances[j]).
GaussianSums gaussian_row(const float* distances, int64_t n, float beta, float* out);

}  // namespace sesame
