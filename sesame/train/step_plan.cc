#include "sesame/train/step_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"

namespace sesame {
namespace {

constexpr int64_t kArenaPage = 2 << 20;

/// The arena of a plan as it is taken from the machine: in huge pages.
int64_t in_pages(int64_t bytes) { return (bytes + kArenaPage - 1) / kArenaPage * kArenaPage; }

std::string shown(int64_t bytes) { return human_bytes(static_cast<uint64_t>(bytes)); }

/// Sums the times of the programs of a step.
void add_times(StepPlan& plan, const std::function<double(const Graph&, const Node&)>& seconds) {
  for (const StepPlan::Part& part : plan.parts()) {
    const Graph& graph = part.graph->graph;
    double once = 0;
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      if (!runs_no_kernel(node)) once += seconds ? seconds(graph, node) : roofline_seconds(graph, node);
    }
    const RematReport& remat = part.graph->remat;
    const auto runs = static_cast<double>(part.runs);
    plan.seconds += runs * once;
    plan.seconds_without += runs * (once - (remat.seconds - remat.seconds_without));
    plan.lower_bound_seconds += runs * (once - (remat.seconds - remat.lower_bound_seconds));
  }
}

}  // namespace

std::vector<StepPlan::Part> StepPlan::parts() const {
  std::vector<Part> parts{{&gradient, 1}};
  if (accumulate) parts.push_back({&*accumulate, options.accumulation - 1});
  parts.push_back({&norm, 1});
  parts.push_back({&update, 1});
  parts.push_back({&evaluation, 0});
  return parts;
}

int64_t StepPlan::arena_bytes() const {
  int64_t bytes = 0;
  for (const Part& part : parts()) bytes = std::max(bytes, part.graph->plan.arena_bytes);
  return in_pages(bytes);
}

StepPlanner::StepPlanner(const LossFunction& loss, const StepOptions& step, Options options)
    : step_(step),
      options_(std::move(options)),
      graphs_(build_step_graphs(loss, step)),
      norm_(compiled(graphs_.norm, {})),
      update_(compiled(graphs_.update, {})),
      evaluation_(compiled(graphs_.evaluation, {})) {}

CompiledGraph StepPlanner::compiled(const Graph& graph, const RematOptions& remat) const {
  return compile(graph, {.threads = options_.threads, .remat = remat, .seconds = options_.seconds});
}

int64_t StepPlanner::variable_bytes() const {
  return 4 * graphs_.layout.elements * static_cast<int64_t>(sizeof(float));
}

StepPlan StepPlanner::plan(const MemorySetting& memory) {
  StepPlan plan;
  RematOptions remat;
  remat.free_replays = memory.kind != MemorySetting::Kind::keep;
  if (const std::optional<int64_t> budget = memory.budget()) {
    check_budget(memory, *budget);
    plan.budget_bytes = budget;
    plan.least_bytes = least_bytes();
    remat.budget_bytes = (*budget - variable_bytes()) / kArenaPage * kArenaPage;
  }
  plan.options = step_;
  plan.layout = graphs_.layout;
  plan.adamw = graphs_.adamw;
  plan.gradient = compiled(graphs_.gradient, remat);
  if (graphs_.accumulate) plan.accumulate = compiled(*graphs_.accumulate, remat);
  plan.norm = norm_;
  plan.update = update_;
  plan.evaluation = evaluation_;
  add_times(plan, options_.seconds);
  return plan;
}

int64_t StepPlanner::least_bytes() {
  if (least_bytes_) return *least_bytes_;
  const CompileOptions options{.threads = options_.threads, .seconds = options_.seconds};
  int64_t arena = least_arena_bytes(graphs_.gradient, options);
  if (graphs_.accumulate) arena = std::max(arena, least_arena_bytes(*graphs_.accumulate, options));
  for (const CompiledGraph* other : {&norm_, &update_, &evaluation_}) arena = std::max(arena, other->plan.arena_bytes);
  least_bytes_ = in_pages(arena) + variable_bytes();
  return *least_bytes_;
}

void StepPlanner::check_budget(const MemorySetting& memory, int64_t budget) {
  if (budget >= least_bytes()) return;
  const bool automatic = memory.kind == MemorySetting::Kind::automatic;
  const int64_t parameters = variable_bytes() / 4;
  fail_usage(fmt::format(
      "train.memory = {}{} is less than the step can do with: {} bytes ({}: values {}, parameters {}, gradients {}, "
      "moments {}); give it that much, or lower train.batch_size (and raise train.accumulation), train.context or the "
      "model's size",
      automatic ? "auto: " : "", shown(budget), least_bytes(), shown(least_bytes()),
      shown(least_bytes() - variable_bytes()), shown(parameters), shown(parameters), shown(2 * parameters)));
}

std::string replay_text(const StepPlan& plan) {
  const RematReport& report = plan.gradient.remat;
  const auto replayed =
      std::count_if(report.activations.begin(), report.activations.end(), [](const auto& a) { return a.replays > 0; });
  std::string text = fmt::format("{} of {} activations replayed, overhead {:.1f} %", replayed,
                                 report.activations.size(), 100 * plan.overhead());
  if (!plan.budget_bytes) return text;
  if (plan.lower_bound_seconds > 0 && replayed > 0)
    text += fmt::format(", at most {:.1f} % above the best possible",
                        100 * std::max(0.0, plan.seconds / plan.lower_bound_seconds - 1));
  return text + fmt::format("; the least possible budget is {}", shown(*plan.least_bytes));
}

}  // namespace sesame
