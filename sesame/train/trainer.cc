#include "sesame/train/trainer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "sesame/analyze/flops.h"
#include "sesame/base/error.h"
#include "sesame/base/file.h"
#include "sesame/base/interrupt.h"
#include "sesame/base/machine.h"
#include "sesame/base/progress.h"
#include "sesame/base/text_format.h"
#include "sesame/optim/schedule.h"
#include "sesame/train/checkpoint.h"
#include "sesame/train/evaluation.h"
#include "sesame/train/forecast.h"
#include "sesame/train/metrics.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/plan_recipe.h"
#include "sesame/train/run_directory.h"
#include "sesame/train/training_text.h"

namespace sesame {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Schedule schedule_of(const Recipe& recipe) {
  return {.kind = parse_schedule(recipe.optim.schedule, "optim.schedule"),
          .lr = recipe.optim.lr,
          .min_lr = recipe.optim.min_lr,
          .warmup = recipe.optim.warmup_steps,
          .steps = recipe.train.steps};
}

/// The settings that may change when a run goes on: they move no number that was computed so far.
bool may_change(const std::string& key) {
  for (const char* free : {"train.steps", "train.threads", "train.log_every", "train.eval_every", "train.eval_batches",
                           "train.checkpoint_every", "train.memory", "train.split"})
    if (key == free) return true;
  return false;
}

void check_same_recipe(const Recipe& saved, const Recipe& recipe, const std::filesystem::path& path) {
  std::vector<std::string> changed;
  for (const std::string& key : differing_keys(saved, recipe))
    if (!may_change(key)) changed.push_back(key);
  if (changed.empty()) return;
  fail_usage(fmt::format(
      "--resume: the recipe differs from the run's own ({}) in {}; a run goes on with the settings that it began "
      "with",
      path.string(), fmt::join(changed, ", ")));
}

/// A run whose split was chosen when it began goes on with that: another one would have other bits.
void keep_split(const Recipe& saved, Recipe& recipe) {
  const TrainOptions& then = saved.train;
  TrainOptions& now = recipe.train;
  if (now.split != "auto" || then.split != "given") return;
  if (then.batch_size * then.accumulation != now.batch_size * now.accumulation) return;
  now.batch_size = then.batch_size;
  now.accumulation = then.accumulation;
  now.split = "given";
}

/// Whether there is a checkpoint to go on from.
bool has_checkpoint(const RunDirectory& run) {
  std::error_code ignored;
  return std::filesystem::exists(run.last(), ignored) ||
         std::filesystem::exists(std::filesystem::path(run.last()) += ".old", ignored);
}

/// One run of the training loop, from prepared text to the last checkpoint.
class Run {
 public:
  Run(const TrainRequest& request, const RunDirectory& directory, ThreadPool& threads)
      : request_(request),
        recipe_(request.recipe),
        directory_(directory),
        threads_(threads),
        text_(prepare_text(recipe_, directory_, threads.threads())),
        config_(model_config(recipe_, text_.tokenizer.vocabulary_size())),
        machine_(probe_machine(threads)),
        plan_(plan()),
        options_(step_options(recipe_)),
        schedule_(schedule_of(recipe_)),
        files_{config_, text_.tokenizer, to_toml(recipe_)},
        sampler_(text_.train, {.sampling = parse_sampling(recipe_.train.sampling, "train.sampling"),
                               .context = recipe_.train.context,
                               .seed = options_.seed}) {
    if (text_.validation.size() > 0) evaluation_.emplace(text_.validation, options_, recipe_.train.eval_batches);
  }

  TrainResult train() {
    announce();
    step_.emplace(std::move(plan_), threads_);
    start_or_resume();
    metrics_.emplace(directory_, state_.step, request_.json);
    progress_.emplace("train", static_cast<uint64_t>(recipe_.train.steps));
    const TrainResult result = loop();
    progress_->finish();
    report_end(result);
    return result;
  }

 private:
  /// Chooses the split where the recipe asks for that, and records it: a run that goes on keeps to it.
  StepPlan plan() {
    RecipePlan planned = RecipePlanner(recipe_, config_, threads_, machine_).plan();
    if (recipe_.train.split != planned.recipe.train.split) {
      recipe_ = planned.recipe;
      write_file_atomically(directory_.recipe(), to_toml(recipe_));
      fmt::print(stderr, "split:   micro-batches of {} sequences, {} in a step\n", recipe_.train.batch_size,
                 recipe_.train.accumulation);
    }
    forecast_ = planned.forecast;
    return std::move(planned.step);
  }

  void announce() {
    const auto bytes = [](int64_t n) { return human_bytes(static_cast<uint64_t>(n)); };
    const auto count = [](auto n) { return human_count(static_cast<double>(n)); };
    const Forecast& f = *forecast_;
    fmt::print(stderr, "model:   {} ({} parameters)\n", to_string(config_), count(f.parameters));
    fmt::print(stderr, "data:    {} tokens to learn from, {} to evaluate on; this run sees {} ({:.2g} times all)\n",
               count(text_.train.size()), count(text_.validation.size()),
               count(f.tokens_per_step * recipe_.train.steps),
               static_cast<double>(f.tokens_per_step) * static_cast<double>(recipe_.train.steps) /
                   static_cast<double>(text_.train.size()));
    fmt::print(stderr, "cost:    {} a token, {} a step of {} tokens\n", flops_text(f.flops_per_token()),
               flops_text(f.model_flops_per_step), f.tokens_per_step);
    fmt::print(stderr, "memory:  {}: step {}, parameters {}, gradients {}, moments {}\n", bytes(f.total_bytes()),
               bytes(f.arena_bytes), bytes(f.parameter_bytes), bytes(f.gradient_bytes), bytes(f.moment_bytes));
    if (recipe_.train.memory != "keep") fmt::print(stderr, "replays: {}\n", replay_text(plan_));
    fmt::print(stderr, "machine: {}, {}, {} threads: peak {:.0f} GFLOP/s, {:.0f} GB/s\n", processor_name(),
               vector_instructions(), threads_.threads(), machine_.peak_gflops, machine_.read_gbytes_s);
    fmt::print(stderr, "time:    about {} for {} steps\n",
               human_duration(f.seconds_per_step(machine_) * static_cast<double>(recipe_.train.steps)),
               recipe_.train.steps);
    check_memory(f, available_memory());
  }

  void start_or_resume() {
    if (request_.resume && has_checkpoint(directory_)) {
      state_ = load_checkpoint(directory_.last(), config_, *step_);
      check_same_text();
      saved_step_ = state_.step;
      fmt::print(stderr, "resume:  step {} of {}\n", state_.step, recipe_.train.steps);
      if (state_.step > recipe_.train.steps)
        fail_usage(
            fmt::format("--resume: the run is at step {} and train.steps = {}", state_.step, recipe_.train.steps));
      return;
    }
    for (const Parameter& p : step_->layout().order) {
      const Tensor tensor = step_->variables().get(p.name);
      initialise(p, options_.seed, {tensor.as<float>(), static_cast<size_t>(tensor.elements())}, &threads_);
    }
    state_.train_tokens = static_cast<int64_t>(text_.train.size());
    state_.validation_tokens = static_cast<int64_t>(text_.validation.size());
  }

  void check_same_text() const {
    if (state_.train_tokens == static_cast<int64_t>(text_.train.size()) &&
        state_.validation_tokens == static_cast<int64_t>(text_.validation.size()))
      return;
    fail(fmt::format(
        "--resume: the text has changed since the run began: {} + {} tokens then, {} + {} now (training + validation)",
        state_.train_tokens, state_.validation_tokens, text_.train.size(), text_.validation.size()));
  }

  /// Evaluation and checkpoint of a step come before the step's work, so that whoever resumes there does what is due.
  TrainResult loop() {
    const InterruptGuard guard;
    session_start_ = Clock::now();
    elapsed_before_ = state_.elapsed;
    while (true) {
      const bool last = state_.step == recipe_.train.steps;
      if (evaluation_ && due(recipe_.train.eval_every, last) && state_.evaluated_step != state_.step && !evaluate())
        return interrupted();
      if (due(recipe_.train.checkpoint_every, last || state_.step == 0) && saved_step_ != state_.step) save_last();
      if (last) return result(TrainResult::End::finished);
      if (InterruptGuard::interrupted()) return interrupted();
      step_once();
      if (state_.step % recipe_.train.log_every == 0) log();
    }
  }

  [[nodiscard]] bool due(int64_t every, bool always) const { return always || (every > 0 && state_.step % every == 0); }

  void step_once() {
    const Clock::time_point start = Clock::now();
    double loss = 0;
    for (int64_t i = 0; i < options_.accumulation; ++i) {
      const TrainingStep::Feed feed = step_->feed(i);
      sampler_.fill(state_.sequences, feed.tokens, feed.targets);
      loss += step_->run(i, state_.micro_batches);
      state_.sequences += static_cast<uint64_t>(options_.batch);
      ++state_.micro_batches;
    }
    last_loss_ = loss / static_cast<double>(options_.accumulation);
    last_norm_ = step_->gradient_norm();
    check_finite();
    last_rate_ = learning_rate(schedule_, state_.step);
    step_->update(last_rate_, ++state_.step);
    state_.loss_sum += last_loss_;
    ++state_.loss_count;
    work_seconds_ += seconds_since(start);
    ++work_steps_;
    show_progress();
  }

  void check_finite() {
    if (std::isfinite(last_loss_) && std::isfinite(last_norm_)) return;
    progress_->finish();
    fail(
        fmt::format("step {}: the loss is {} and the gradient norm {}: training has diverged and stops before the "
                    "update. The model of "
                    "step {} is in {}. Try a lower optim.lr, more optim.warmup_steps or optim.clip = 1",
                    state_.step + 1, last_loss_, last_norm_, saved_step_, directory_.last().string()));
  }

  [[nodiscard]] double tokens_per_second() const {
    return work_seconds_ > 0 ? static_cast<double>(work_steps_ * options_.tokens()) / work_seconds_ : 0;
  }

  void show_progress() {
    if (!progress_->due() && state_.step < recipe_.train.steps) return;
    const double share = tokens_per_second() * forecast_->flops_per_token() / (machine_.peak_gflops * 1e9);
    const double left =
        static_cast<double>((recipe_.train.steps - state_.step) * options_.tokens()) / tokens_per_second();
    progress_->update(static_cast<uint64_t>(state_.step),
                      fmt::format("loss {:.3f}, lr {:.2e}, {} tokens/s, {:.0f} % of peak, {} left", last_loss_,
                                  last_rate_, human_count(tokens_per_second()), 100 * share, human_duration(left)));
  }

  [[nodiscard]] Metrics metrics(const char* event) const {
    Metrics m;
    m.event = event;
    m.step = state_.step;
    m.tokens = state_.step * options_.tokens();
    m.lr = learning_rate(schedule_, std::max<int64_t>(state_.step - 1, 0));
    m.elapsed_s = elapsed();
    if (work_steps_ > 0) m.tokens_per_s = tokens_per_second();
    return m;
  }

  void log() {
    Metrics m = metrics("train");
    m.train_loss = last_loss_;
    m.grad_norm = last_norm_;
    metrics_->write(m);
    work_seconds_ = 0;
    work_steps_ = 0;
    logged_rate_ = m.tokens_per_s.value_or(0);
  }

  /// False when it was interrupted: then nothing is recorded.
  bool evaluate() {
    const double loss = evaluation_->run(*step_, [] { return !InterruptGuard::interrupted(); });
    if (std::isnan(loss) && InterruptGuard::interrupted()) return false;
    Metrics m = metrics("eval");
    if (state_.loss_count > 0)
      m.train_loss = state_.train_loss = state_.loss_sum / static_cast<double>(state_.loss_count);
    if (work_steps_ == 0 && logged_rate_ > 0) m.tokens_per_s = logged_rate_;
    m.val_loss = state_.validation_loss = loss;
    state_.loss_sum = 0;
    state_.loss_count = 0;
    state_.evaluated_step = state_.step;
    const bool best = state_.step > 0 && loss < state_.best_loss;
    if (best) {
      state_.best_loss = loss;
      state_.best_step = state_.step;
      save_checkpoint(directory_.best(), files_, *step_, nullptr);
    }
    metrics_->write(m);
    machine_.peak_gflops = probe_peak_gflops(threads_, 1);  // a host that others use as well changes its speed
    progress_->line(fmt::format("step {:>6}: {}validation loss {:.4f}{}", state_.step,
                                m.train_loss ? fmt::format("training loss {:.4f}, ", *m.train_loss) : "", loss,
                                best ? " (best so far)" : ""));
    return true;
  }

  void save_last() {
    state_.elapsed = elapsed();
    save_checkpoint(directory_.last(), files_, *step_, &state_);
    saved_step_ = state_.step;
  }

  TrainResult interrupted() {
    if (saved_step_ != state_.step) save_last();
    return result(TrainResult::End::interrupted);
  }

  [[nodiscard]] double elapsed() const { return elapsed_before_ + seconds_since(session_start_); }

  [[nodiscard]] TrainResult result(TrainResult::End end) const {
    return {end, state_.step, state_.train_loss, state_.validation_loss, state_.best_loss};
  }

  void report_end(const TrainResult& result) {
    if (result.end == TrainResult::End::interrupted) {
      fmt::print(stderr, "stopped: step {} is saved in {}; go on with the same command and --resume\n", result.step,
                 directory_.last().string());
      return;
    }
    Metrics m = metrics("end");
    const auto finite = [](double value) { return std::isfinite(value) ? std::optional(value) : std::nullopt; };
    m.train_loss = finite(state_.train_loss);
    m.val_loss = finite(state_.validation_loss);
    m.best_val_loss = finite(state_.best_loss);
    if (logged_rate_ > 0) m.tokens_per_s = logged_rate_;
    metrics_->write(m);
    const std::string best = state_.best_step < 0 ? std::string()
                                                  : fmt::format(", best validation loss {:.4f} at step {}",
                                                                state_.best_loss, state_.best_step);
    fmt::print(stderr, "done:    {} steps in {}{}; try: sesame generate {} --prompt \"...\"\n", result.step,
               human_duration(elapsed()), best, directory_.root.string());
  }

  const TrainRequest& request_;
  Recipe recipe_;
  const RunDirectory& directory_;
  ThreadPool& threads_;
  TrainingText text_;
  GptConfig config_;
  MachineSpeed machine_;
  std::optional<Forecast> forecast_;
  StepPlan plan_;  // until the step is made
  StepOptions options_;
  Schedule schedule_;
  ModelFiles files_;
  SequenceSampler sampler_;
  std::optional<Evaluation> evaluation_;
  std::optional<TrainingStep> step_;
  std::optional<MetricsLog> metrics_;
  std::optional<Progress> progress_;
  TrainingState state_;
  int64_t saved_step_ = -1;
  Clock::time_point session_start_;
  double elapsed_before_ = 0;
  double last_loss_ = 0;
  double last_norm_ = 0;
  double last_rate_ = 0;
  double logged_rate_ = 0;
  double work_seconds_ = 0;  // since the last record
  int64_t work_steps_ = 0;
};

}  // namespace

TrainResult train(const TrainRequest& request) {
  const RunDirectory run{request.out};
  open_run_directory(run, request.resume, request.overwrite);
  TrainRequest settled = request;
  std::error_code ignored;
  if (request.resume && std::filesystem::exists(run.recipe(), ignored)) {
    const Recipe saved = load_recipe(run.recipe());
    keep_split(saved, settled.recipe);
    check_same_recipe(saved, settled.recipe, run.recipe());
  }
  if (request.resume && !has_checkpoint(run))
    fmt::print(stderr, "resume:  {} holds no checkpoint; starting from the beginning\n", run.root.string());
  write_file_atomically(run.recipe(), to_toml(settled.recipe));
  ThreadPool threads(static_cast<int>(request.recipe.train.threads));
  return Run(settled, run, threads).train();
}

}  // namespace sesame
