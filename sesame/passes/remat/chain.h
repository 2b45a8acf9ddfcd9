#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sesame::remat {

/// A network as a chain of stages, each forward and backward: the setting of Herrmann et al. 2019 (rotor, arXiv
/// 1911.13214) with several ways to run a stage whose backward part comes next. Seconds and bytes throughout.
struct Chain {
  /// A way to run a stage forward such that its backward part can run later without the stage being run again as a
  /// whole: what it saves, and what that costs.
  struct Option {
    int64_t saved_bytes = 0;  // kept from forward to backward, the stage's output included, its input not
    double forward_seconds = 0;
    double backward_seconds = 0;     // what is computed again within the stage included
    int64_t forward_temporary = 0;   // bytes while it runs, beyond its input and what it saves
    int64_t backward_temporary = 0;  // ... beyond input, saved values and both gradients
  };
  struct Stage {
    int64_t input_bytes = 0;     // the activation that enters; its gradient takes as much
    double forward_seconds = 0;  // run for the output alone
    int64_t forward_temporary = 0;
    std::vector<Option> options = {};  // at least one
  };
  std::vector<Stage> stages;
  int64_t output_bytes = 0;  // what leaves the last stage
};

/// One move of an execution of a chain.
struct ChainMove {
  enum class Kind : uint8_t {
    forward_drop,  // run the stage for its output; its input is freed
    forward_keep,  // run the stage for its output; its input stays
    forward_save,  // run the stage under `option`, ready for its backward part
    backward,      // the backward part of what forward_save left
  };
  Kind kind;
  int32_t stage = 0;
  int32_t option = 0;  // of forward_save and its backward
};

struct ChainPlan {
  std::vector<ChainMove> moves;
  double seconds = 0;
};

/// The fastest memory-persistent execution within `budget` bytes (the chain's input included), by dynamic programming
/// over (first stage, last stage, memory) with memory counted in up to `units` steps (at least four for each stage),
/// bytes rounded up; exact if the budget is no more bytes than that. More budget never takes more seconds. Absent if
/// there is none. O(units stages^2 (stages + options)) time, O(units stages^2) memory. Throws Error on a stage without
/// options and on negative bytes or seconds.
///
/// What is held: the input of a stage from when it is computed until the stage's forward_drop or backward; what
/// forward_save saves until the stage's backward; the gradient of an activation from the backward that computes it
/// until the one that reads it. The gradient of the chain's output begins with the backward part of the last stage.
std::optional<ChainPlan> solve_chain(const Chain& chain, int64_t budget, int units = 512);

/// The highest number of bytes that an execution holds at once, by carrying it out: the test of solve_chain, and
/// independent of it. Throws Error on a move that is not possible.
int64_t chain_peak(const Chain& chain, const std::vector<ChainMove>& moves);

}  // namespace sesame::remat
