#include "sesame/word_vectors/train/alias_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sesame/base/error.h"

namespace sesame {
namespace {

/// What each entry weighs, with a mean of 1.
std::vector<double> shares_of(std::span<const uint64_t> counts, double exponent) {
  // Relative to the largest count: neither a large exponent nor a negative one overflows.
  const auto largest = static_cast<double>(std::max<uint64_t>(*std::max_element(counts.begin(), counts.end()), 1));
  std::vector<double> log_weights(counts.size(), -INFINITY);
  double top = -INFINITY;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) log_weights[i] = exponent * std::log(static_cast<double>(counts[i]) / largest);
    top = std::max(top, log_weights[i]);
  }
  std::vector<double> shares(counts.size(), 1);
  if (top == -INFINITY) return shares;
  for (size_t i = 0; i < counts.size(); ++i) shares[i] = std::exp(log_weights[i] - top);
  const double scale = static_cast<double>(counts.size()) / std::accumulate(shares.begin(), shares.end(), 0.0);
  for (double& share : shares) share *= scale;
  return shares;
}

}  // namespace

AliasTable::AliasTable(std::span<const uint64_t> counts, double exponent) : entries_(counts.size()) {
  if (counts.empty()) fail("alias table: no words to draw from; at least one is needed");
  std::vector<double> shares = shares_of(counts, exponent);
  std::vector<int32_t> small, large;
  for (size_t i = 0; i < shares.size(); ++i) (shares[i] < 1 ? small : large).push_back(static_cast<int32_t>(i));
  while (!small.empty() && !large.empty()) {
    const int32_t poor = small.back(), rich = large.back();
    small.pop_back();
    const double share = shares[static_cast<size_t>(poor)];
    entries_[static_cast<size_t>(poor)] = {static_cast<uint32_t>(std::min(share * 0x1p32, 0x1p32 - 1)), rich};
    double& left = shares[static_cast<size_t>(rich)];
    left -= 1 - share;
    if (left < 1) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  // What is left has a share of 1 but for rounding: it is drawn by itself, whatever the threshold.
  for (const auto& rest : {small, large}) {
    for (const int32_t i : rest) entries_[static_cast<size_t>(i)] = {0, i};
  }
}

}  // namespace sesame
