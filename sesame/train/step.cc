#include "sesame/train/step.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "sesame/train/model_directory.h"

namespace sesame {
namespace {

constexpr const char* kLoss = "loss";
constexpr const char* kNorm = "grad_norm_squared";

}  // namespace

struct TrainingStep::Impl {
  StepOptions options;
  FlatLayout layout;
  AdamWAttributes adamw;
  double norm_squared = 0;
  Variables variables;
  std::shared_ptr<Arena> arena = std::make_shared<Arena>();
  std::optional<Program> gradient, accumulate, norm, update, evaluation;

  static void create_flat_like(Variables& variables, const FlatLayout& layout, const std::string& name,
                               const std::string& prefix) {
    std::vector<Variables::Slice> slices;
    for (const Parameter& p : layout.order) slices.push_back({prefix + p.name, p.shape});
    variables.create_flat(name, DType::f32, slices);
  }

  /// Where the programs take and leave their data, found once.
  struct Places {
    Feed feed;
    const float* loss;
  };
  Places gradient_places, accumulate_places, evaluation_places;
  const double* norm_out = nullptr;
  double* norm_in = nullptr;
  float* hyper = nullptr;

  void find_places() {
    gradient_places = places_of(*gradient);
    if (accumulate) accumulate_places = places_of(*accumulate);
    evaluation_places = places_of(*evaluation);
    norm_out = norm->output(kNorm).as<double>();
    norm_in = update->input(kNorm).as<double>();
    hyper = update->input("hyper").as<float>();
  }

  [[nodiscard]] const Places& places(int64_t index) const { return index > 0 ? accumulate_places : gradient_places; }

  [[nodiscard]] std::span<float> flat(const char* name) const {
    const Tensor tensor = variables.get(name);
    return {tensor.as<float>(), static_cast<size_t>(tensor.elements())};
  }

  static Places places_of(const Program& program) {
    const Tensor tokens = program.input("tokens");
    const Tensor targets = program.input("targets");
    return {{{tokens.as<int32_t>(), static_cast<size_t>(tokens.elements())},
             {targets.as<int32_t>(), static_cast<size_t>(targets.elements())}},
            program.output(kLoss).as<float>()};
  }
};

TrainingStep::TrainingStep(StepPlan plan, ThreadPool& threads) : impl_(std::make_unique<Impl>()) {
  impl_->options = plan.options;
  impl_->layout = std::move(plan.layout);
  impl_->adamw = plan.adamw;
  create_parameters(impl_->variables, impl_->layout.order);
  Impl::create_flat_like(impl_->variables, impl_->layout, "gradients", "grad/");
  Impl::create_flat_like(impl_->variables, impl_->layout, "adam.first_moment", "adam.first_moment/");
  Impl::create_flat_like(impl_->variables, impl_->layout, "adam.second_moment", "adam.second_moment/");
  const Program::Options program{.threads = &threads, .variables = &impl_->variables, .arena = impl_->arena};
  impl_->gradient.emplace(std::move(plan.gradient), program);
  if (plan.accumulate) impl_->accumulate.emplace(*std::move(plan.accumulate), program);
  impl_->norm.emplace(std::move(plan.norm), program);
  impl_->update.emplace(std::move(plan.update), program);
  impl_->evaluation.emplace(std::move(plan.evaluation), program);
  impl_->find_places();
}

TrainingStep::TrainingStep(const LossFunction& loss, const StepOptions& options, ThreadPool& threads)
    : TrainingStep(StepPlanner(loss, options, {.threads = threads.threads()}).plan({}), threads) {}

TrainingStep::~TrainingStep() = default;

TrainingStep::Feed TrainingStep::feed(int64_t index) { return impl_->places(index).feed; }

double TrainingStep::run(int64_t index, uint64_t counter) {
  Program& program = index > 0 ? *impl_->accumulate : *impl_->gradient;
  program.run({.seed = impl_->options.seed, .step = counter});
  return *impl_->places(index).loss;
}

double TrainingStep::gradient_norm() {
  impl_->norm->run({});
  impl_->norm_squared = *impl_->norm_out;
  return std::sqrt(impl_->norm_squared);
}

void TrainingStep::update(double learning_rate, int64_t step) {
  const std::array<float, 3> hyper = adamw_hyper(learning_rate, step, impl_->adamw);
  std::copy(hyper.begin(), hyper.end(), impl_->hyper);
  *impl_->norm_in = impl_->norm_squared;
  impl_->update->run({.seed = impl_->options.seed, .step = static_cast<uint64_t>(step)});
}

TrainingStep::Feed TrainingStep::evaluation_feed() { return impl_->evaluation_places.feed; }

double TrainingStep::run_evaluation() {
  impl_->evaluation->run({.seed = impl_->options.seed, .step = 0});
  return *impl_->evaluation_places.loss;
}

Variables& TrainingStep::variables() { return impl_->variables; }
const FlatLayout& TrainingStep::layout() const { return impl_->layout; }
std::span<float> TrainingStep::flat_parameters() { return impl_->flat("parameters"); }
std::span<float> TrainingStep::flat_first_moment() { return impl_->flat("adam.first_moment"); }
std::span<float> TrainingStep::flat_second_moment() { return impl_->flat("adam.second_moment"); }
int64_t TrainingStep::arena_bytes() const { return static_cast<int64_t>(impl_->arena->bytes()); }
int64_t TrainingStep::variable_bytes() const { return impl_->variables.bytes(); }

std::vector<TrainingStep::Part> TrainingStep::parts() {
  std::vector<Part> parts{{&*impl_->gradient, 1}};
  if (impl_->accumulate) parts.push_back({&*impl_->accumulate, impl_->options.accumulation - 1});
  parts.push_back({&*impl_->norm, 1});
  parts.push_back({&*impl_->update, 1});
  return parts;
}

}  // namespace sesame
