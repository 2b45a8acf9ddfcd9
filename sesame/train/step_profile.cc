#include "sesame/train/step_profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"
#include "sesame/optim/adamw.h"
#include "sesame/runtime/compile.h"

namespace sesame {
namespace {

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// The nodes that the loss is made of; all false in a graph without one.
std::vector<bool> forward_nodes(const Graph& graph) {
  std::vector<bool> forward(static_cast<size_t>(graph.size()), false);
  for (const Graph::Output& output : graph.outputs())
    if (output.name == "loss") forward[static_cast<size_t>(output.value.node)] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id) {
    if (!forward[static_cast<size_t>(id)]) continue;
    for (const Ref ref : graph.node(id).inputs) forward[static_cast<size_t>(ref.node)] = true;
  }
  return forward;
}

/// The phase of each call of a program, in the order of execution.
std::vector<Phase> phases_of(const Program& program) {
  const Graph& graph = program.graph();
  const std::vector<bool> forward = forward_nodes(graph);
  const bool has_loss = std::find(forward.begin(), forward.end(), true) != forward.end();
  std::vector<Phase> phases;
  for (const NodeId id : program.plan().schedule) {
    const Node& node = graph.node(id);
    if (runs_no_kernel(node)) continue;
    phases.push_back(!has_loss                          ? Phase::update
                     : node.replay > 0                  ? Phase::replay
                     : forward[static_cast<size_t>(id)] ? Phase::forward
                                                        : Phase::backward);
  }
  return phases;
}

std::vector<CallProfile> describe_calls(const TrainingStep::Part& part, int64_t index) {
  const std::vector<Program::CallInfo> infos = part.program->calls();
  const std::vector<Phase> phases = phases_of(*part.program);
  if (phases.size() != infos.size())
    fail(fmt::format("profile: {} calls, but {} nodes that run", infos.size(), phases.size()));
  std::vector<CallProfile> calls;
  for (size_t i = 0; i < infos.size(); ++i) {
    const Program::CallInfo& info = infos[i];
    calls.push_back({.op = std::string(name_of(info.op)),
                     .scope = info.scope,
                     .shapes = info.shapes,
                     .phase = phases[i],
                     .program = index,
                     .runs = part.runs,
                     .flops = info.flops,
                     .bytes = info.bytes});
  }
  return calls;
}

bool has_input(const Program& program, std::string_view name) { return program.graph().find_leaf(name) >= 0; }

/// Writes what a program asks for besides parameters: programs of a step share their memory, so before each run.
class Inputs {
 public:
  Inputs(TrainingStep& step, const StepOptions& options, FunctionRef<void(const TrainingStep::Feed&)> feed)
      : step_(step), options_(options), feed_(feed) {}

  void write(const Program& program, int64_t part) {
    if (has_input(program, "tokens")) feed_(step_.feed(part));
    if (has_input(program, "hyper")) {
      const AdamWAttributes adamw{.beta1 = options_.beta1, .beta2 = options_.beta2};
      const std::array<float, 3> hyper = adamw_hyper(1e-4, 100, adamw);
      std::copy(hyper.begin(), hyper.end(), program.input("hyper").as<float>());
      *program.input(kNorm).as<double>() = norm_squared_;
    }
  }

  void read(const Program& program) {
    for (const Graph::Output& output : program.graph().outputs())
      if (output.name == kNorm) norm_squared_ = *program.output(kNorm).as<double>();
  }

 private:
  static constexpr const char* kNorm = "grad_norm_squared";

  TrainingStep& step_;
  const StepOptions& options_;
  FunctionRef<void(const TrainingStep::Feed&)> feed_;
  double norm_squared_ = 1;
};

bool is_number(std::string_view part) { return part.find_first_not_of("0123456789") == std::string_view::npos; }

std::vector<std::string> parts_of(std::string_view scope) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= scope.size();) {
    const size_t end = std::min(scope.find('.', begin), scope.size());
    parts.emplace_back(scope.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

/// "transformer.h.3.attn.c_proj" -> "transformer.h.3.attn", or with `merged` "transformer.h.*.attn".
std::string layer_of(const CallProfile& call, bool merged) {
  if (call.scope.empty()) return "(outside)";
  std::vector<std::string> parts = parts_of(call.scope);
  const auto number = std::find_if(parts.begin(), parts.end(), is_number);
  const size_t block = static_cast<size_t>(number - parts.begin());
  parts.resize(std::min(parts.size(), number == parts.end() ? 2 : block + 2));
  if (merged && block < parts.size()) parts[block] = "*";
  return fmt::format("{}", fmt::join(parts, "."));
}

void add(ProfileRow& row, const CallProfile& call, const Roofline& roofline) {
  const auto runs = static_cast<double>(call.runs);
  row.calls += call.runs;
  row.seconds += runs * call.seconds;
  row.flops += runs * call.flops;
  row.bytes += runs * call.bytes;
  row.least_seconds += runs * roofline.seconds(call.flops, call.bytes);
}

/// The machine while a profile is taken: it may change its speed from one step to the next.
class RooflineProbes {
 public:
  explicit RooflineProbes(ThreadPool& threads) : threads_(threads) {}

  void peak() { peaks_.push_back(probe_peak_gflops(threads_, 2)); }

  void bandwidth() {
    memory_.push_back(probe_read_bandwidth(threads_, 2));
    // A quarter of the cache, which other programs use as well, stays there from one reading to the next.
    cache_.push_back(std::max(memory_.back(), probe_read_bandwidth(threads_, 30, last_level_cache_bytes() / 4)));
  }

  [[nodiscard]] Roofline median_of_all() {
    return {median(peaks_), median(memory_), median(cache_), static_cast<int64_t>(last_level_cache_bytes())};
  }

 private:
  ThreadPool& threads_;
  std::vector<double> peaks_, memory_, cache_;
};

}  // namespace

std::string_view name_of(Phase phase) {
  constexpr std::array<std::string_view, 4> names = {"forward", "backward", "replay", "update"};
  return names[static_cast<size_t>(phase)];
}

double Roofline::seconds(double flops, double bytes) const {
  const double bandwidth = bytes <= static_cast<double>(cache_bytes) ? cache_gbytes_s : memory_gbytes_s;
  return 1e-9 * std::max(flops / peak_gflops, bytes / bandwidth);
}

double StepProfile::seconds() const {
  double sum = 0;
  for (const CallProfile& call : calls) sum += static_cast<double>(call.runs) * call.seconds;
  return sum;
}

std::vector<ProfileRow> profile_by_op(const StepProfile& profile) {
  std::map<std::string, ProfileRow> by_op;
  for (const CallProfile& call : profile.calls) {
    ProfileRow& row = by_op[call.op];
    row.name = call.op;
    add(row, call, profile.roofline);
  }
  std::vector<ProfileRow> rows;
  for (auto& [op, row] : by_op) rows.push_back(std::move(row));
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return rows;
}

std::vector<ProfileRow> profile_by_layer(const StepProfile& profile, bool merged) {
  std::vector<ProfileRow> rows;
  std::map<std::pair<std::string, Phase>, size_t> row_of;
  std::map<std::pair<std::string, Phase>, bool> seen;  // layers by their own names
  for (const CallProfile& call : profile.calls) {
    const std::string name = layer_of(call, merged);
    const auto [place, fresh] = row_of.emplace(std::pair(name, call.phase), rows.size());
    if (fresh) rows.push_back({.name = name, .phase = call.phase});
    ProfileRow& row = rows[place->second];
    if (seen.emplace(std::pair(layer_of(call, false), call.phase), true).second) ++row.layers;
    add(row, call, profile.roofline);
  }
  return rows;
}

StepProfile profile_step(TrainingStep& step, const StepOptions& options, ThreadPool& threads, int64_t repeats,
                         FunctionRef<void(const TrainingStep::Feed&)> feed) {
  StepProfile profile;
  const std::vector<TrainingStep::Part> parts = step.parts();
  std::vector<size_t> sizes;
  for (const TrainingStep::Part& part : parts) {
    std::vector<CallProfile> calls = describe_calls(part, static_cast<int64_t>(sizes.size()));
    sizes.push_back(calls.size());
    std::move(calls.begin(), calls.end(), std::back_inserter(profile.calls));
  }
  RooflineProbes probes(threads);
  probes.bandwidth();
  probes.peak();
  std::vector<std::vector<double>> samples(profile.calls.size());
  Inputs inputs(step, options, feed);
  for (int64_t repeat = 0; repeat < repeats; ++repeat) {
    size_t first = 0;
    for (size_t p = 0; p < parts.size(); ++p) {
      Program& program = *parts[p].program;
      std::vector<double> seconds(sizes[p]);
      inputs.write(program, static_cast<int64_t>(p));
      program.run_timed({.seed = options.seed, .step = static_cast<uint64_t>(repeat)}, seconds);
      inputs.read(program);
      for (size_t i = 0; i < seconds.size(); ++i) samples[first + i].push_back(seconds[i]);
      first += seconds.size();
    }
    probes.peak();
  }
  for (size_t i = 0; i < samples.size(); ++i) profile.calls[i].seconds = median(samples[i]);
  probes.bandwidth();
  profile.roofline = probes.median_of_all();
  return profile;
}

}  // namespace sesame
