#include "sesame/optim/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sesame/base/error.h"

namespace sesame {

double learning_rate(const Schedule& schedule, int64_t step) {
  if (step < schedule.warmup) {
    return schedule.lr * static_cast<double>(step + 1) / static_cast<double>(schedule.warmup + 1);
  }
  const int64_t decay_steps = std::max<int64_t>(1, schedule.steps - schedule.warmup);
  const double done = std::min(1.0, static_cast<double>(step - schedule.warmup) / static_cast<double>(decay_steps));
  switch (schedule.kind) {
    case Schedule::Kind::constant:
      return schedule.lr;
    case Schedule::Kind::linear:
      return schedule.lr - (schedule.lr - schedule.min_lr) * done;
    case Schedule::Kind::cosine:
      return schedule.min_lr + (schedule.lr - schedule.min_lr) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  }
  return schedule.lr;
}

std::string_view name_of(Schedule::Kind kind) {
  switch (kind) {
    case Schedule::Kind::constant:
      return "constant";
    case Schedule::Kind::linear:
      return "linear";
    case Schedule::Kind::cosine:
      return "cosine";
  }
  return "?";
}

Schedule::Kind parse_schedule(std::string_view text, std::string_view key) {
  for (const auto kind : {Schedule::Kind::constant, Schedule::Kind::linear, Schedule::Kind::cosine}) {
    if (text == name_of(kind)) return kind;
  }
  fail_usage(fmt::format("{} = \"{}\": expected \"constant\", \"linear\" or \"cosine\"", key, text));
}

}  // namespace sesame
