#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sesame {

/// For tests: how far observed counts lie from expected ones, in standard deviations of the normal distribution that
/// Pearson's chi-square is turned into (Wilson and Hilferty, "The distribution of chi-square", 1931). Right counts give
/// more than 5 once in three million times. Cells that expect less than 5 are taken together; an observation where none
/// can be gives infinity.
inline double chi_square_deviation(std::span<const uint64_t> observed, std::span<const double> expected) {
  double sum = 0, freedom = -1, rest_expected = 0, rest_observed = 0;
  const auto add = [&](double o, double e) {
    sum += (o - e) * (o - e) / e;
    freedom += 1;
  };
  for (size_t i = 0; i < observed.size(); ++i) {
    const auto o = static_cast<double>(observed[i]);
    if (expected[i] == 0 && o > 0) return std::numeric_limits<double>::infinity();
    if (expected[i] >= 5) {
      add(o, expected[i]);
    } else {
      rest_observed += o;
      rest_expected += expected[i];
    }
  }
  if (rest_expected >= 5) add(rest_observed, rest_expected);
  if (freedom < 1) return 0;  // one cell alone has what it expects
  const double spread = 2 / (9 * freedom);
  return (std::cbrt(sum / freedom) - (1 - spread)) / std::sqrt(spread);
}

}  // namespace sesame
