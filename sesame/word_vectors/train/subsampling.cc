#include "sesame/word_vectors/train/subsampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sesame {

double keep_probability(uint64_t count, uint64_t total, double sample, SubsamplingRule rule) {
  if (sample == 0 || count == 0) return 1;
  const double ratio = sample * static_cast<double>(total) / static_cast<double>(count);
  return std::min(1.0, rule == SubsamplingRule::code ? std::sqrt(ratio) + ratio : std::sqrt(ratio));
}

Subsampling::Subsampling(std::span<const uint64_t> counts, double sample, SubsamplingRule rule) {
  const uint64_t total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  last_kept_.reserve(counts.size());
  for (const uint64_t count : counts) {
    const double values = std::round(keep_probability(count, total, sample, rule) * 0x1p32);
    last_kept_.push_back(static_cast<uint32_t>(std::max(values, 1.0) - 1));
  }
}

}  // namespace sesame
