#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "sesame/analyze/cost_table.h"
#include "sesame/base/machine.h"
#include "sesame/runtime/measured_costs.h"
#include "sesame/train/step_plan.h"

namespace sesame {

/// What a training step will take, found out from its graphs alone: nothing is allocated or run.
struct Forecast {
  int64_t parameters = 0;  // numbers in the model
  int64_t matmul_parameters =
      0;  // of these, those that multiply every token (a tied embedding counts once, as the output projection)
  int64_t tokens_per_step = 0;
  double model_flops_per_step = 0;  // analyze/flops.h
  double bytes_per_step = 0;        // read and written by the ops, update included
  int64_t update_bytes = 0;         // of these, by norm and optimiser

  std::optional<double> measured_seconds;  // of a step, by times that were measured here

  double overhead = 0;  // share of the step's time that goes into computing again, by the costs it was planned with
  std::optional<int64_t> budget_bytes;  // of total_bytes()

  int64_t arena_bytes = 0;
  int64_t parameter_bytes = 0;
  int64_t gradient_bytes = 0;
  int64_t moment_bytes = 0;

  std::vector<ScopeCost> scopes;  // of forward and backward of one micro-batch, per block and layer

  [[nodiscard]] double flops_per_token() const { return model_flops_per_step / static_cast<double>(tokens_per_step); }
  [[nodiscard]] int64_t total_bytes() const { return arena_bytes + parameter_bytes + gradient_bytes + moment_bytes; }

  /// Expected seconds of one step: as measured, or else matrix products at 70 % of the peak, and the bytes of
  /// everything else at the bandwidth of reading.
  [[nodiscard]] double seconds_per_step(const MachineSpeed& machine) const;
};

/// `costs`, where given, are those that the step was planned with: if most of its time is of calls that were timed,
/// they say what a step takes.
Forecast forecast(const StepPlan& plan, const MeasuredCosts* costs = nullptr);

/// Of the step without a limit on memory. `threads`: scratch memory of some kernels depends on it.
Forecast forecast(const LossFunction& loss, const StepOptions& options, int threads);

/// Throws Error with the parts and what to lower when `forecast` does not fit in `available` bytes.
void check_memory(const Forecast& forecast, uint64_t available);

}  // namespace sesame
