#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/analyze/table.h"
#include "sesame/base/text_format.h"
#include "sesame/cli/verbs.h"
#include "sesame/train/step_benchmark.h"

namespace sesame {
namespace {

struct BenchArguments {
  std::string recipe;
  std::vector<std::string> settings;
  StepBenchmarkOptions options;
  bool calls = false;
  bool json = false;
};

double memory_ratio(const StepBenchmark& b) {
  return static_cast<double>(b.measured_peak_bytes) / static_cast<double>(b.planned_bytes);
}

void print_json(const StepBenchmark& b) {
  nlohmann::ordered_json ops = nlohmann::ordered_json::array();
  for (const auto& op : b.ops)
    ops.push_back({{"op", op.name},
                   {"calls", op.calls},
                   {"seconds", op.seconds},
                   {"gflops", op.gflops},
                   {"gb_s", op.gigabytes_per_s}});
  const nlohmann::ordered_json result = {{"tokens_per_s", b.tokens_per_s},
                                         {"step_seconds", b.median_seconds},
                                         {"steps", b.step_seconds},
                                         {"threads", b.threads},
                                         {"tokens_per_step", b.forecast.tokens_per_step},
                                         {"flops_per_step", b.forecast.model_flops_per_step},
                                         {"gflops", b.gflops},
                                         {"fma_peak_gflops", b.machine.peak_gflops},
                                         {"bandwidth_gb_s", b.machine.read_gbytes_s},
                                         {"share_of_peak", b.share_of_peak},
                                         {"planned_bytes", b.planned_bytes},
                                         {"measured_peak_bytes", b.measured_peak_bytes},
                                         {"measured_over_planned", memory_ratio(b)},
                                         {"ops", ops}};
  std::cout << result.dump() << "\n";
}

void print_profile(const StepBenchmark& b, bool calls) {
  double sum = 0;
  for (const auto& op : b.ops) sum += op.seconds;
  TextTable table({"op", "calls", "ms", "share", "GFLOP/s", "GB/s"});
  for (const auto& op : b.ops)
    table.add({op.name, fmt::format("{}", op.calls), fmt::format("{:.2f}", 1e3 * op.seconds),
               fmt::format("{:.1f} %", 100 * op.seconds / sum), fmt::format("{:.0f}", op.gflops),
               fmt::format("{:.1f}", op.gigabytes_per_s)});
  fmt::print("\n{}", table.to_string());
  if (!calls) return;
  TextTable each({"call", "ms", "GFLOP/s", "scope", "shapes"});
  for (const auto& call : b.calls)
    each.add({call.op, fmt::format("{:.3f}", 1e3 * call.seconds), fmt::format("{:.0f}", call.gflops), call.scope,
              call.shapes});
  fmt::print("\n{}", each.to_string());
}

void print_text(const StepBenchmark& b, bool calls) {
  fmt::print("step    {} ({} tokens, {} threads), median of {}\n", human_duration(b.median_seconds),
             b.forecast.tokens_per_step, b.threads, b.step_seconds.size());
  fmt::print("speed   {:.0f} tokens/s, {:.1f} GFLOP/s of matrix products\n", b.tokens_per_s, b.gflops);
  fmt::print("peak    {:.1f} GFLOP/s probed between the steps: share {:.1f} %; bandwidth {:.1f} GB/s\n",
             b.machine.peak_gflops, 100 * b.share_of_peak, b.machine.read_gbytes_s);
  fmt::print("memory  planned {}, measured {} ({:+.1f} %)\n", human_bytes(static_cast<uint64_t>(b.planned_bytes)),
             human_bytes(static_cast<uint64_t>(b.measured_peak_bytes)), 100 * (memory_ratio(b) - 1));
  if (!b.ops.empty()) print_profile(b, calls);
}

void run_bench(const BenchArguments& a) {
  const StepBenchmark result = benchmark_step(load_recipe(a.recipe, a.settings), a.options);
  if (a.json) {
    print_json(result);
  } else {
    print_text(result, a.calls);
  }
}

}  // namespace

void add_bench(CLI::App& app, int&) {
  auto a = std::make_shared<BenchArguments>();
  app.require_subcommand(1);
  CLI::App* step = app.add_subcommand("step", "a whole training step on random tokens");
  step->add_option("RECIPE", a->recipe, "settings, a TOML file")->required();
  step->add_option("--set", a->settings, "one setting, section.key=value; may be given again")->allow_extra_args(false);
  step->add_option("--steps", a->options.steps, "steps to time")->check(CLI::Range(1, 1000000));
  step->add_option("--warm-up", a->options.warm_up, "steps before")->check(CLI::Range(1, 1000000));
  step->add_flag("--profile", a->options.profile, "time per kind of op");
  step->add_flag("--calls", a->calls, "with --profile: each call as well");
  step->add_flag("--json", a->json, "one JSON object (with --profile's times)");
  step->footer("Example:\n  sesame bench step recipes/baby-gpt.toml --profile");
  app.footer("Example:\n  sesame bench step recipes/baby-gpt.toml --profile");
  step->callback([a] {
    a->options.profile = a->options.profile || a->json || a->calls;
    run_bench(*a);
  });
}

}  // namespace sesame
