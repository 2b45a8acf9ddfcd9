#pragma once

#include <cstdint>

#include "sesame/data/sampler.h"
#include "sesame/train/step.h"

namespace sesame {

/// The validation loss over a fixed choice of windows, the same at every call: `batches` micro-batches of windows
/// spread evenly over the text, or all windows of it when `batches` is 0 or more than there are.
class Evaluation {
 public:
  /// Throws Error when the text is shorter than one window.
  Evaluation(TokenStream tokens, const StepOptions& options, int64_t batches);

  /// The mean loss per token. `keep_going` is asked between micro-batches; false ends the evaluation with NaN.
  /// Allocates nothing.
  double run(TrainingStep& step, FunctionRef<bool()> keep_going) const;

  /// Tokens that an evaluation predicts.
  [[nodiscard]] int64_t tokens() const { return static_cast<int64_t>(windows_) * context_; }

 private:
  SequenceSampler sampler_;
  int64_t batch_;
  int64_t context_;
  uint64_t windows_;
};

}  // namespace sesame
