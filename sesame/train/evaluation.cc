#include "sesame/train/evaluation.h"

#include <algorithm>
#include <limits>

namespace sesame {

Evaluation::Evaluation(TokenStream tokens, const StepOptions& options, int64_t batches)
    : sampler_(std::move(tokens), {.sampling = Sampling::sequential, .context = options.context, .seed = 0}),
      batch_(options.batch),
      context_(options.context),
      windows_(sampler_.sequences_per_epoch()) {
  if (batches > 0) windows_ = std::min(windows_, static_cast<uint64_t>(batches) * static_cast<uint64_t>(batch_));
}

double Evaluation::run(TrainingStep& step, FunctionRef<bool()> keep_going) const {
  const uint64_t all = sampler_.sequences_per_epoch();
  const auto width = static_cast<size_t>(context_);
  const auto rows = static_cast<uint64_t>(batch_);
  __extension__ using Wide = unsigned __int128;
  double sum = 0;
  for (uint64_t begin = 0; begin < windows_; begin += rows) {
    if (!keep_going()) return std::numeric_limits<double>::quiet_NaN();
    const TrainingStep::Feed feed = step.evaluation_feed();
    const uint64_t filled = std::min(rows, windows_ - begin);
    for (uint64_t row = 0; row < filled; ++row) {
      // Window i of n out of `all`: by 128-bit product, exact for any size.
      const auto window = static_cast<uint64_t>(static_cast<Wide>(begin + row) * all / windows_);
      sampler_.fill(window, feed.tokens.subspan(row * width, width), feed.targets.subspan(row * width, width));
    }
    std::fill(feed.tokens.begin() + static_cast<ptrdiff_t>(filled * width), feed.tokens.end(), 0);
    std::fill(feed.targets.begin() + static_cast<ptrdiff_t>(filled * width), feed.targets.end(), -1);
    sum += step.run_evaluation() * static_cast<double>(filled);
  }
  return sum / static_cast<double>(windows_);
}

}  // namespace sesame
