#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/base/machine.h"
#include "sesame/train/step.h"

namespace sesame {

/// What a call is for. The call that computes the loss together with its gradient counts as forward.
enum class Phase : uint8_t {
  forward,
  backward,
  replay,  // computed again to save memory
  update   // gradient norm and optimiser
};
std::string_view name_of(Phase phase);

/// One kernel call of a step. FLOPs and bytes are the op's own count (graph/op_def.h) of one run: elementwise work
/// counts, each operand is read once and each result written once.
struct CallProfile {
  std::string op;
  std::string scope;   // "transformer.h.3.attn.c_proj"
  std::string shapes;  // "[4096, 384] x [384, 1536] -> [4096, 1536]"
  Phase phase = Phase::forward;
  int64_t program = 0;  // which of the step's programs it belongs to
  int64_t runs = 1;     // of that program in one step
  double seconds = 0;   // of one run, the median
  double flops = 0;
  double bytes = 0;
};

/// The least time that a call could take here (Williams et al. 2009): its FLOPs at the peak, or its bytes at the
/// bandwidth of memory, whichever is longer. Where all that it reads and writes fits in the last-level cache, an
/// earlier call may have left it there, and the bandwidth is that of the cache.
struct Roofline {
  double peak_gflops = 0;
  double memory_gbytes_s = 0;
  double cache_gbytes_s = 0;
  int64_t cache_bytes = 0;

  [[nodiscard]] double seconds(double flops, double bytes) const;
};

/// The calls of a step in the order of execution, and the machine as it was found between the profiled steps (medians).
struct StepProfile {
  Roofline roofline;
  std::vector<CallProfile> calls;

  [[nodiscard]] double seconds() const;
};

/// Calls that belong together. All figures are of a whole step.
struct ProfileRow {
  std::string name;
  Phase phase = Phase::forward;  // in rows of layers
  int64_t layers = 0;            // in rows of layers: how many are summed
  int64_t calls = 0;
  double seconds = 0;
  double flops = 0;
  double bytes = 0;
  double least_seconds = 0;  // by the roofline, call by call

  [[nodiscard]] double share_of_roofline() const { return seconds > 0 ? least_seconds / seconds : 0; }
};

/// One row per op, the dearest first.
std::vector<ProfileRow> profile_by_op(const StepProfile& profile);

/// One row per layer and phase, in the order of execution. A layer is the scope up to the part after the block's number
/// ("transformer.h.3.attn"), or its first two parts where it has none; what stands outside any scope is "(outside)",
/// the optimiser "(update)". `merged`: blocks that differ in their number alone are one row, "transformer.h.*.attn".
std::vector<ProfileRow> profile_by_layer(const StepProfile& profile, bool merged);

/// Runs `repeats` whole steps with a clock around each call. `feed` fills the data of a micro-batch. The step must have
/// been run before; its parameters change.
StepProfile profile_step(TrainingStep& step, const StepOptions& options, ThreadPool& threads, int64_t repeats,
                         FunctionRef<void(const TrainingStep::Feed&)> feed);

}  // namespace sesame
