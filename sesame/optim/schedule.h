#pragma once

#include <cstdint>
#include <string_view>

namespace sesame {

/// The learning rate over a run: a pure function of the step.
struct Schedule {
  enum class Kind : uint8_t { constant, linear, cosine };
  Kind kind = Kind::cosine;
  double lr = 1e-3;    // the peak
  double min_lr = 0;   // linear and cosine: what is reached at step `steps`
  int64_t warmup = 0;  // steps of linear rise: (step + 1) / (warmup + 1) of the peak
  int64_t steps = 1;   // steps of the run
};

/// The learning rate of step 0, 1, ...; past the end it stays at what was reached. Cosine: min + (lr - min) (1 + cos(pi
/// r)) / 2, linear: lr - (lr - min) r, with r = (step - warmup) / (steps - warmup) (Loshchilov and Hutter 2017, without
/// restarts).
double learning_rate(const Schedule& schedule, int64_t step);

/// "constant", "linear" or "cosine". Throws usage Error that names `key` and the three for anything else.
Schedule::Kind parse_schedule(std::string_view text, std::string_view key);
std::string_view name_of(Schedule::Kind kind);

}  // namespace sesame
