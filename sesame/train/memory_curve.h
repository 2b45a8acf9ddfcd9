#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/train/step_plan.h"

namespace sesame {

/// What a step takes within one budget. Bytes count values, parameters, gradients and moments; an overhead is a share
/// of the time of the step that computes nothing twice.
struct MemoryPoint {
  int64_t budget_bytes = 0;
  int64_t planned_bytes = 0;
  int64_t arena_bytes = 0;
  double seconds_per_step = 0;
  double overhead = 0;
  double lower_bound_overhead = 0;  // no plan within the budget has less
};

struct MemoryCurve {
  std::vector<MemoryPoint> points;  // by rising budget, from the least possible to keep_bytes
  int64_t least_budget_bytes = 0;
  int64_t free_bytes = 0;  // planned without a budget, with the replays that cost nothing
  int64_t keep_bytes = 0;  // planned without any replay
};

/// Plans a step within `points` budgets, closer together towards the least.
MemoryCurve memory_curve(StepPlanner& planner, int64_t points = 10);

/// The curve as a drawing, overhead over budget.
std::string to_svg(const MemoryCurve& curve, std::string_view title);

/// What became of values that the backward part reads: equal ones of several layers in one row.
struct SavedRow {
  std::string name;           // "h.0-11.attn: attention [1024, 768]"
  int64_t count = 0;          // of values
  int64_t bytes = 0;          // of one
  bool kept = false;          // from the forward to the backward part
  int replays = 0;            // times that each is computed again
  double replay_seconds = 0;  // of all together
};
std::vector<SavedRow> saved_rows(const RematReport& report);

}  // namespace sesame
