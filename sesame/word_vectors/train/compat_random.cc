#include "sesame/word_vectors/train/compat_random.h"

#include <algorithm>
#include <cmath>

namespace sesame {
namespace {

/// The first index of a table of `size` whose share of it exceeds `share`.
uint64_t first_index_beyond(double share, double size) {
  auto index = static_cast<uint64_t>(share * size);
  while (index > 0 && static_cast<double>(index - 1) / size > share) --index;
  while (static_cast<double>(index) / size <= share) ++index;
  return index;
}

}  // namespace

CompatNoiseTable::CompatNoiseTable(std::span<const uint64_t> counts, double exponent, uint64_t size) {
  std::vector<double> weights(counts.size());
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    weights[i] = std::pow(static_cast<double>(counts[i]), exponent);
    sum += weights[i];
  }
  double share = 0;
  uint64_t begin = 0;
  for (const double weight : weights) {
    share += weight / sum;
    const uint64_t last = std::min(std::max(first_index_beyond(share, static_cast<double>(size)), begin), size - 1);
    last_index_.push_back(static_cast<uint32_t>(last));
    begin = last + 1;
  }
  last_index_.back() = size - 1;

  while (size >> (shift_ + 1) > 2 * counts.size()) ++shift_;
  int32_t word = 0;
  for (uint64_t index = 0; index < size; index += uint64_t{1} << shift_) {
    while (index > last_index_[static_cast<size_t>(word)]) ++word;
    first_word_.push_back(word);
  }
}

CompatSigmoid::CompatSigmoid() {
  constexpr int kEntries = 1000;
  for (int i = 0; i < kEntries; ++i) {
    const float x = (static_cast<float>(i) / kEntries * 2 - 1) * kLimit;
    const auto power = static_cast<float>(std::exp(static_cast<double>(x)));
    values_.push_back(power / (power + 1));
  }
}

}  // namespace sesame
