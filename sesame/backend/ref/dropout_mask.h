#pragma once

#include <cstdint>

#include "sesame/backend/kernel.h"
#include "sesame/base/philox.h"

namespace sesame::ref {

/// What dropout multiplies each element by: 0 or 1 / (1 - rate), a function of (seed, key, step, element) alone.
class DropoutMask {
 public:
  DropoutMask(double rate, int64_t key, const StepState& state)
      : random_(state.seed, static_cast<uint64_t>(key)),
        step_(state.step),
        dropped_below_(static_cast<uint64_t>(rate * 4294967296.0)),
        kept_(1.0 / (1.0 - rate)) {}

  [[nodiscard]] double operator()(int64_t element) const {
    return random_.word(static_cast<uint64_t>(element), step_) < dropped_below_ ? 0.0 : kept_;
  }

 private:
  Philox random_;
  uint64_t step_;
  uint64_t dropped_below_;
  double kept_;
};

}  // namespace sesame::ref
