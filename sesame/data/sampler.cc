#include "sesame/data/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/base/philox.h"
#include "sesame/data/permutation.h"

namespace sesame {
namespace {

/// Streams of the sampler's randomness; far from the small numbers that ops use as theirs.
constexpr uint64_t kShuffleStream = uint64_t{0x5A3D} << 48;
constexpr uint64_t kJitterStream = kShuffleStream + (uint64_t{1} << 47);
constexpr uint64_t kRandomStream = kJitterStream + (uint64_t{1} << 46);

/// Uniform in [0, bound): the high word of a 64 x 64 bit product (Lemire, "Fast random integer generation in an
/// interval", 2019), whose bias is below bound / 2^64.
uint64_t uniform_below(uint64_t bound, const std::array<uint32_t, 4>& words) {
  __extension__ using Wide = unsigned __int128;
  const uint64_t word = uint64_t{words[1]} << 32 | words[0];
  return static_cast<uint64_t>((Wide{word} * bound) >> 64);
}

}  // namespace

Sampling parse_sampling(std::string_view text, std::string_view key) {
  if (text == "shuffled") return Sampling::shuffled;
  if (text == "random") return Sampling::random;
  if (text == "sequential") return Sampling::sequential;
  fail_usage(fmt::format("{}: '{}' is no way of sampling, expected one of: shuffled, random, sequential", key, text));
}

SequenceSampler::SequenceSampler(TokenStream tokens, SamplerOptions options)
    : tokens_(std::move(tokens)), options_(options) {
  if (options_.context < 1) fail_usage(fmt::format("train.context: {}, expected at least 1", options_.context));
  const auto context = static_cast<uint64_t>(options_.context);
  const uint64_t n = tokens_.size();
  if (n < context + 1) {
    fail(fmt::format(
        "the corpus part has {} tokens, but one sequence of context {} needs {} (its targets are shifted by "
        "one); use more text, a smaller train.context, or another data.validation_fraction",
        n, context, context + 1));
  }
  const uint64_t targets = n - 1;
  windows_ = targets / context;
  if (options_.sampling != Sampling::shuffled) return;
  // One window less, where need be, lets every epoch start anywhere in the first window, with the same count each time.
  if (windows_ > 1 && targets - windows_ * context < context - 1) --windows_;
  jitter_ = std::min(context - 1, targets - windows_ * context);
}

uint64_t SequenceSampler::offset(uint64_t index) const {
  const auto context = static_cast<uint64_t>(options_.context);
  const uint64_t epoch = index / windows_;
  const uint64_t window = index % windows_;
  switch (options_.sampling) {
    case Sampling::sequential:
      return window * context;
    case Sampling::random:
      return uniform_below(tokens_.size() - context, Philox(options_.seed, kRandomStream).block(index, 0));
    case Sampling::shuffled:
      break;
  }
  const uint64_t jitter = uniform_below(jitter_ + 1, Philox(options_.seed, kJitterStream).block(epoch, 0));
  return jitter + context * Permutation(windows_, options_.seed, kShuffleStream + epoch)(window);
}

void SequenceSampler::fill(uint64_t position, std::span<int32_t> inputs, std::span<int32_t> targets) const {
  const auto context = static_cast<size_t>(options_.context);
  if (inputs.size() != targets.size() || inputs.size() % context != 0) {
    fail(fmt::format("a batch of {} inputs and {} targets, expected equal multiples of the context {}", inputs.size(),
                     targets.size(), context));
  }
  for (size_t row = 0; row * context < inputs.size(); ++row) {
    const uint64_t begin = offset(position + row);
    tokens_.copy(begin, inputs.subspan(row * context, context));       // [time]
    tokens_.copy(begin + 1, targets.subspan(row * context, context));  // [time]
  }
}

void SequenceSampler::fill(uint64_t position, Batch& batch) const {
  fill(position, batch.at("inputs").values, batch.at("targets").values);
}

}  // namespace sesame
