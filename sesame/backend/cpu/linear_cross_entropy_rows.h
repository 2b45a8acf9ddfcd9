#pragma once

#include <cstdint>

namespace sesame {

/// log(sum(exp(row[v]))) over v < classes.
float log_sum_exp(const float* row, int64_t classes);

/// row[v] = scale * exp(row[v] - lse), v < classes: scaled probabilities in place of logits.
void logits_to_probabilities(float* row, int64_t classes, float lse, float scale);

}  // namespace sesame
