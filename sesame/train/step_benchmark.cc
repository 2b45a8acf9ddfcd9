#include "sesame/train/step_benchmark.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "sesame/base/philox.h"
#include "sesame/optim/schedule.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/plan_recipe.h"

namespace sesame {
namespace {

using Clock = std::chrono::steady_clock;

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void fill_at_random(std::span<int32_t> ids, int64_t vocabulary, uint64_t stream, uint64_t step) {
  const Philox random(1, stream);
  for (size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<int32_t>(random.word(i, step) % static_cast<uint64_t>(vocabulary));
}

/// Processor time of this process so far, all threads.
double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// A model with initial weights that is trained on random tokens.
class BenchmarkRun {
 public:
  BenchmarkRun(const GptConfig& config, StepPlan plan, ThreadPool& threads)
      : options_(plan.options), vocabulary_(config.vocab_size), step_(std::move(plan), threads) {
    for (const Parameter& p : step_.layout().order) {
      const Tensor tensor = step_.variables().get(p.name);
      initialise(p, options_.seed, {tensor.as<float>(), static_cast<size_t>(tensor.elements())}, &threads);
    }
  }

  void step() {
    for (int64_t i = 0; i < options_.accumulation; ++i, ++micro_batches_) {
      feed(step_.feed(i));
      step_.run(i, micro_batches_);
    }
    step_.gradient_norm();
    step_.update(1e-4, ++steps_);
  }

  [[nodiscard]] int64_t arena_bytes() const { return step_.arena_bytes(); }

  double timed_step() {
    const Clock::time_point start = Clock::now();
    step();
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  StepProfile profile(ThreadPool& threads, int64_t repeats) {
    return profile_step(step_, options_, threads, repeats, [this](const TrainingStep::Feed& to) {
      feed(to);
      ++micro_batches_;
    });
  }

 private:
  void feed(const TrainingStep::Feed& feed) const {
    fill_at_random(feed.tokens, vocabulary_, 0, micro_batches_);
    fill_at_random(feed.targets, vocabulary_, 1, micro_batches_);
  }

  StepOptions options_;
  int64_t vocabulary_;
  TrainingStep step_;
  uint64_t micro_batches_ = 0;
  int64_t steps_ = 0;
};

}  // namespace

StepBenchmark benchmark_step(const Recipe& recipe, const StepBenchmarkOptions& options) {
  const GptConfig config = model_config(recipe);
  ThreadPool threads(static_cast<int>(recipe.train.threads));
  StepBenchmark result;
  result.threads = threads.threads();
  RecipePlan plan = RecipePlanner(recipe, config, threads, probe_machine(threads)).plan();
  const StepOptions step = plan.step.options;
  result.forecast = plan.forecast;
  result.planned_bytes = result.forecast.total_bytes();
  check_memory(result.forecast, available_memory());

  reset_peak_resident_bytes();
  const uint64_t before = resident_bytes();
  BenchmarkRun run(config, std::move(plan.step), threads);
  for (int64_t i = 0; i < options.warm_up; ++i) run.step();
  result.arena_bytes = run.arena_bytes();
  result.measured_peak_bytes = static_cast<int64_t>(peak_resident_bytes() - before);

  const double flops = result.forecast.model_flops_per_step;
  std::vector<double> peaks{probe_peak_gflops(threads, 2)};
  std::vector<double> bandwidths{probe_read_bandwidth(threads, 1)};
  std::vector<double> shares;
  for (int64_t i = 0; i < options.steps; ++i) {
    const double processor_start = processor_seconds();
    result.step_seconds.push_back(run.timed_step());
    result.processor_seconds.push_back(processor_seconds() - processor_start);
    peaks.push_back(probe_peak_gflops(threads, 2));
    const double peak = (peaks[peaks.size() - 2] + peaks.back()) / 2;
    shares.push_back(flops / result.step_seconds.back() / (peak * 1e9));
  }
  bandwidths.push_back(probe_read_bandwidth(threads, 1));
  result.median_seconds = median(result.step_seconds);
  result.tokens_per_s = static_cast<double>(step.tokens()) / result.median_seconds;
  result.gflops = flops / result.median_seconds * 1e-9;
  result.machine = {median(peaks), median(bandwidths)};
  result.share_of_peak = median(shares);
  if (options.profile) result.profile = run.profile(threads, std::min<int64_t>(options.steps, 10));
  return result;
}

}  // namespace sesame
