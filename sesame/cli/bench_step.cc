#include "sesame/cli/bench_step.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/analyze/table.h"
#include "sesame/base/text_format.h"
#include "sesame/train/step_benchmark.h"
#include "sesame/train/trace.h"

namespace sesame {
namespace {

using Json = nlohmann::ordered_json;

struct BenchStepArguments {
  std::string recipe;
  std::vector<std::string> settings;
  StepBenchmarkOptions options;
  bool layers = false;
  bool calls = false;
  bool json = false;
  std::string trace;
};

double memory_ratio(const StepBenchmark& b) {
  return static_cast<double>(b.measured_peak_bytes) / static_cast<double>(b.planned_bytes);
}

double rate(double amount, double seconds) { return seconds > 0 ? 1e-9 * amount / seconds : 0; }

Json row_json(const char* key, const ProfileRow& row) {
  return {{key, row.name},
          {"calls", row.calls},
          {"seconds", row.seconds},
          {"flops", row.flops},
          {"bytes", row.bytes},
          {"gflops", rate(row.flops, row.seconds)},
          {"gb_s", rate(row.bytes, row.seconds)},
          {"share_of_roofline", row.share_of_roofline()}};
}

void add_profile(Json& result, const StepProfile& profile, bool with_calls) {
  const Roofline& roofline = profile.roofline;
  result["profile_seconds"] = profile.seconds();
  result["roofline"] = {{"fma_peak_gflops", roofline.peak_gflops},
                        {"memory_gb_s", roofline.memory_gbytes_s},
                        {"cache_gb_s", roofline.cache_gbytes_s},
                        {"cache_bytes", roofline.cache_bytes}};
  Json ops = Json::array();
  for (const ProfileRow& row : profile_by_op(profile)) ops.push_back(row_json("op", row));
  Json layers = Json::array();
  for (const ProfileRow& row : profile_by_layer(profile, false)) {
    layers.push_back(row_json("layer", row));
    layers.back()["phase"] = name_of(row.phase);
  }
  result["ops"] = std::move(ops);
  result["layers"] = std::move(layers);
  if (!with_calls) return;
  Json calls = Json::array();
  for (const CallProfile& call : profile.calls)
    calls.push_back({{"op", call.op},
                     {"scope", call.scope},
                     {"phase", name_of(call.phase)},
                     {"shapes", call.shapes},
                     {"runs", call.runs},
                     {"seconds", call.seconds},
                     {"flops", call.flops},
                     {"bytes", call.bytes},
                     {"share_of_roofline", roofline.seconds(call.flops, call.bytes) / call.seconds}});
  result["calls"] = std::move(calls);
}

void print_json(const StepBenchmark& b, bool with_calls) {
  Json result = {{"tokens_per_s", b.tokens_per_s},
                 {"step_seconds", b.median_seconds},
                 {"steps", b.step_seconds},
                 {"processor_seconds", b.processor_seconds},
                 {"threads", b.threads},
                 {"tokens_per_step", b.forecast.tokens_per_step},
                 {"flops_per_step", b.forecast.model_flops_per_step},
                 {"gflops", b.gflops},
                 {"fma_peak_gflops", b.machine.peak_gflops},
                 {"bandwidth_gb_s", b.machine.read_gbytes_s},
                 {"share_of_peak", b.share_of_peak},
                 {"planned_bytes", b.planned_bytes},
                 {"arena_bytes", b.arena_bytes},
                 {"measured_peak_bytes", b.measured_peak_bytes},
                 {"measured_over_planned", memory_ratio(b)},
                 {"expected_overhead", b.forecast.overhead}};
  if (b.forecast.budget_bytes) result["budget_bytes"] = *b.forecast.budget_bytes;
  if (b.forecast.measured_seconds) result["expected_seconds"] = *b.forecast.measured_seconds;
  if (b.profile) add_profile(result, *b.profile, with_calls);
  std::cout << result.dump() << "\n";
}

/// The columns that all tables of a profile share.
std::vector<std::string> figures(double seconds, double flops, double bytes, double share_of_roofline) {
  return {fmt::format("{:.3f}", 1e3 * seconds),        fmt::format("{:.3f}", 1e-9 * flops),
          fmt::format("{:.1f}", 1e-6 * bytes),         fmt::format("{:.0f}", rate(flops, seconds)),
          fmt::format("{:.1f}", rate(bytes, seconds)), fmt::format("{:.0f} %", 100 * share_of_roofline)};
}

std::vector<std::string> joined(std::vector<std::string> first, const std::vector<std::string>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

const std::vector<std::string> kFigures = {"ms", "GFLOP", "MB", "GFLOP/s", "GB/s", "roofline"};

std::vector<std::string> row_figures(const ProfileRow& row, double sum) {
  return joined({fmt::format("{}", row.calls), fmt::format("{:.1f} %", 100 * row.seconds / sum)},
                figures(row.seconds, row.flops, row.bytes, row.share_of_roofline()));
}

void print_rows(const StepProfile& profile, bool each_layer) {
  const double sum = profile.seconds();
  TextTable ops(joined({"op", "calls", "time"}, kFigures));
  for (const ProfileRow& row : profile_by_op(profile)) ops.add(joined({row.name}, row_figures(row, sum)));
  fmt::print("\n{}", ops.to_string());
  TextTable layers(joined({"layer", "phase", "layers", "calls", "time"}, kFigures));
  for (const ProfileRow& row : profile_by_layer(profile, !each_layer))
    layers.add(
        joined({row.name, std::string(name_of(row.phase)), fmt::format("{}", row.layers)}, row_figures(row, sum)));
  fmt::print("\n{}", layers.to_string());
}

void print_calls(const StepProfile& profile) {
  std::vector<CallProfile> calls = profile.calls;
  std::stable_sort(calls.begin(), calls.end(), [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  TextTable table(joined(joined({"call", "phase"}, kFigures), {"scope", "shapes"}));
  for (const CallProfile& call : calls) {
    const double share = profile.roofline.seconds(call.flops, call.bytes) / call.seconds;
    table.add(joined(
        joined({call.op, std::string(name_of(call.phase))}, figures(call.seconds, call.flops, call.bytes, share)),
        {call.scope, call.shapes}));
  }
  fmt::print("\n{}", table.to_string());
}

void print_profile(const StepBenchmark& b, const BenchStepArguments& a) {
  const StepProfile& profile = *b.profile;
  const Roofline& roofline = profile.roofline;
  double least = 0;
  for (const ProfileRow& row : profile_by_op(profile)) least += row.least_seconds;
  fmt::print(
      "calls   {} together, {:.0f} % of the roofline: {:.1f} GFLOP/s, {:.1f} GB/s from memory, {:.1f} GB/s for "
      "what fits in {} of cache\n",
      human_duration(profile.seconds()), 100 * least / profile.seconds(), roofline.peak_gflops,
      roofline.memory_gbytes_s, roofline.cache_gbytes_s, human_bytes(static_cast<uint64_t>(roofline.cache_bytes)));
  print_rows(profile, a.layers);
  if (a.calls) print_calls(profile);
}

void print_text(const StepBenchmark& b, const BenchStepArguments& a) {
  fmt::print("step    {} ({} tokens, {} threads), median of {}\n", human_duration(b.median_seconds),
             b.forecast.tokens_per_step, b.threads, b.step_seconds.size());
  fmt::print("speed   {:.0f} tokens/s, {:.1f} GFLOP/s of matrix products\n", b.tokens_per_s, b.gflops);
  fmt::print("peak    {:.1f} GFLOP/s probed between the steps: share {:.1f} %; bandwidth {:.1f} GB/s\n",
             b.machine.peak_gflops, 100 * b.share_of_peak, b.machine.read_gbytes_s);
  fmt::print("memory  planned {}, measured {} ({:+.1f} %)\n", human_bytes(static_cast<uint64_t>(b.planned_bytes)),
             human_bytes(static_cast<uint64_t>(b.measured_peak_bytes)), 100 * (memory_ratio(b) - 1));
  fmt::print("replays {:.1f} % of the step's time expected{}\n", 100 * b.forecast.overhead,
             b.forecast.budget_bytes
                 ? fmt::format(", in a budget of {}", human_bytes(static_cast<uint64_t>(*b.forecast.budget_bytes)))
                 : "");
  if (b.profile) print_profile(b, a);
}

void run_bench_step(const BenchStepArguments& a) {
  const StepBenchmark result = benchmark_step(load_recipe(a.recipe, a.settings), a.options);
  if (!a.trace.empty()) write_trace(a.trace, *result.profile);
  if (a.json) {
    print_json(result, a.calls);
  } else {
    print_text(result, a);
  }
}

}  // namespace

void add_bench_step(CLI::App& bench) {
  auto a = std::make_shared<BenchStepArguments>();
  CLI::App* step = bench.add_subcommand("step", "a whole training step on random tokens");
  step->add_option("RECIPE", a->recipe, "settings, a TOML file")->required();
  step->add_option("--set", a->settings, "one setting, section.key=value; may be given again")->allow_extra_args(false);
  step->add_option("--steps", a->options.steps, "steps to time")->check(CLI::Range(1, 1000000));
  step->add_option("--warm-up", a->options.warm_up, "steps before")->check(CLI::Range(1, 1000000));
  step->add_flag("--profile", a->options.profile, "time, FLOPs, bytes, share of the roofline per op and per layer");
  step->add_flag("--layers", a->layers, "with --profile: each block by itself");
  step->add_flag("--calls", a->calls, "with --profile: each call as well");
  step->add_option("--trace", a->trace, "write the profiled step as a Chrome trace to this file");
  step->add_flag("--json", a->json, "one JSON object");
  step->footer("Example:\n  sesame bench step recipes/baby-gpt.toml --profile --trace step.json");
  step->callback([a] {
    a->options.profile = a->options.profile || a->layers || a->calls || !a->trace.empty();
    run_bench_step(*a);
  });
}

}  // namespace sesame
