#include "sesame/infer/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sesame/base/error.h"

namespace sesame {

void check(const SamplingOptions& options) {
  const auto demand = [](bool holds, std::string_view name, auto value, std::string_view expected) {
    if (!holds) fail_usage(fmt::format("{} = {}: expected {}", name, value, expected));
  };
  const auto& o = options;
  demand(o.temperature >= 0 && std::isfinite(o.temperature), "temperature", o.temperature, "a number from 0 up");
  demand(o.top_k >= 0, "top-k", o.top_k, "a whole number from 0 (off) up");
  demand(o.top_p > 0 && o.top_p <= 1, "top-p", o.top_p, "a number in (0, 1]");
  demand(o.min_p >= 0 && o.min_p <= 1, "min-p", o.min_p, "a number in [0, 1]");
  demand(o.repetition_penalty > 0 && std::isfinite(o.repetition_penalty), "repetition-penalty", o.repetition_penalty,
         "a positive number (1 is off)");
}

Sampler::Sampler(SamplingOptions options) : options_(options) { check(options_); }

namespace {

void penalise_repetition(std::span<float> logits, std::span<const int32_t> context, float penalty,
                         std::vector<bool>& seen) {
  if (penalty == 1.0f) return;
  seen.assign(logits.size(), false);
  for (const int32_t id : context) {
    const auto i = static_cast<size_t>(id);
    if (id < 0 || i >= logits.size() || seen[i]) continue;
    seen[i] = true;
    logits[i] = logits[i] > 0 ? logits[i] / penalty : logits[i] * penalty;
  }
}

// The place of the largest logit, the first among equals.
size_t arg_max(std::span<const float> logits) {
  return static_cast<size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

}  // namespace

int32_t Sampler::sample(std::span<float> logits, std::span<const int32_t> context, double uniform) {
  for (const float logit : logits) {
    if (std::isnan(logit)) fail("the model's logits are not numbers (NaN): its weights are damaged or have diverged");
  }
  penalise_repetition(logits, context, static_cast<float>(options_.repetition_penalty), seen_);
  const size_t best = arg_max(logits);
  if (options_.temperature == 0) return static_cast<int32_t>(best);

  candidates_.clear();
  const double largest = logits[best];
  for (size_t i = 0; i < logits.size(); ++i) {
    const double weight = std::exp((logits[i] - largest) / options_.temperature);
    candidates_.push_back({weight, static_cast<int32_t>(i)});
  }
  keep_top_k();
  keep_top_p();
  if (options_.min_p > 0) {
    // The largest weight is 1.
    std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < options_.min_p; });
  }
  return draw(uniform);
}

void Sampler::keep_top_k() {
  const auto k = static_cast<size_t>(options_.top_k);
  if (k == 0 || k >= candidates_.size()) return;
  const auto kth = candidates_.begin() + static_cast<ptrdiff_t>(k - 1);
  std::nth_element(candidates_.begin(), kth, candidates_.end(), before);
  const double smallest = kth->weight;
  std::erase_if(candidates_, [&](const Candidate& c) { return c.weight < smallest; });
  std::sort(candidates_.begin(), candidates_.end(), before);
}

void Sampler::keep_top_p() {
  if (options_.top_p >= 1) return;
  std::sort(candidates_.begin(), candidates_.end(), before);
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  double sum = 0;
  size_t kept = 0;
  while (kept < candidates_.size() && sum < options_.top_p * total) sum += candidates_[kept++].weight;
  candidates_.resize(std::max<size_t>(kept, 1));
}

int32_t Sampler::draw(double uniform) const {
  double total = 0;
  for (const Candidate& candidate : candidates_) total += candidate.weight;
  double rest = uniform * total;
  const Candidate* last = &candidates_.front();
  for (const Candidate& candidate : candidates_) {
    if (candidate.weight == 0) continue;
    last = &candidate;
    rest -= candidate.weight;
    if (rest < 0) break;
  }
  return last->id;
}

}  // namespace sesame
