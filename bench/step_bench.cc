// Whole training steps of the reference models at several batch sizes: one line each with tokens per second, share of
// the multiply-add peak that is probed between the steps, and memory. Usage: step_bench [--quick] [--only SUBSTRING]
// [--threads N] [--steps N] [--json]

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/analyze/table.h"
#include "sesame/base/error.h"
#include "sesame/base/machine.h"
#include "sesame/base/text_format.h"
#include "sesame/train/step_benchmark.h"

namespace sesame::bench {
namespace {

struct Case {
  std::string name;
  std::string recipe;
  std::vector<std::string> settings;
  int64_t steps;
  bool quick;
};

Case make(const std::string& name, const std::string& recipe, int64_t batch, int64_t context, int64_t steps, bool quick,
          std::vector<std::string> more = {}) {
  more.push_back(fmt::format("train.batch_size={}", batch));
  more.push_back(fmt::format("train.context={}", context));
  more.emplace_back("train.accumulation=1");
  return {fmt::format("{} B{} T{}", name, batch, context), "recipes/" + recipe + ".toml", std::move(more), steps,
          quick};
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const int64_t batch : {1, 4, 16, 32}) cases.push_back(make("baby GPT", "baby-gpt", batch, 256, 5, batch == 16));
  for (const int64_t batch : {1, 4, 8}) cases.push_back(make("GPT-2 124M", "gpt2-124m", batch, 64, 3, batch == 4));
  for (const int64_t batch : {1, 4}) cases.push_back(make("GPT-2 124M", "gpt2-124m", batch, 256, 3, batch == 4));
  for (const int64_t batch : {1, 4, 16}) cases.push_back(make("Llama 25M", "llama-25m", batch, 256, 3, batch == 4));
  const std::vector<std::string> small{"model.n_layer=2"};
  const std::vector<std::string> large_vocabulary{"model.n_layer=2", "model.vocab_size=50257"};
  for (const int64_t batch : {1, 8, 64})
    cases.push_back(make("small", "shakespeare-char", batch, 64, 50, batch == 8, small));
  cases.push_back(make("small, 50257 tokens", "shakespeare-char", 8, 64, 10, true, large_vocabulary));
  return cases;
}

struct Options {
  bool quick = false;
  bool json = false;
  std::string only;
  int64_t threads = 0;
  int64_t steps = 0;
};

StepBenchmark measure(const Case& each, const Options& options) {
  std::vector<std::string> settings = each.settings;
  if (options.threads > 0) settings.push_back(fmt::format("train.threads={}", options.threads));
  StepBenchmarkOptions benchmark;
  benchmark.steps = options.steps > 0 ? options.steps : each.steps;
  benchmark.warm_up = 1;
  return benchmark_step(load_recipe(each.recipe, settings), benchmark);
}

nlohmann::ordered_json to_json(const Case& each, const StepBenchmark& b) {
  return {{"case", each.name},
          {"tokens_per_s", b.tokens_per_s},
          {"step_seconds", b.median_seconds},
          {"gflops", b.gflops},
          {"share_of_peak", b.share_of_peak},
          {"fma_peak_gflops", b.machine.peak_gflops},
          {"bandwidth_gb_s", b.machine.read_gbytes_s},
          {"planned_bytes", b.planned_bytes},
          {"measured_peak_bytes", b.measured_peak_bytes}};
}

int run(const Options& options) {
  TextTable table({"step", "time", "tokens/s", "GFLOP/s", "peak", "share", "memory"});
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Case& each : all_cases()) {
    if ((options.quick && !each.quick) || each.name.find(options.only) == std::string::npos) continue;
    fmt::print(stderr, "{}\n", each.name);
    const StepBenchmark b = measure(each, options);
    rows.push_back(to_json(each, b));
    table.add({each.name, human_duration(b.median_seconds), fmt::format("{:.0f}", b.tokens_per_s),
               fmt::format("{:.1f}", b.gflops), fmt::format("{:.0f}", b.machine.peak_gflops),
               fmt::format("{:.1f} %", 100 * b.share_of_peak),
               human_bytes(static_cast<uint64_t>(b.measured_peak_bytes))});
  }
  if (options.json) {
    fmt::print("{}\n", rows.dump());
  } else {
    fmt::print("{}, {}\n{}", processor_name(), vector_instructions(), table.to_string());
  }
  return 0;
}

}  // namespace
}  // namespace sesame::bench

int main(int argc, char** argv) {
  sesame::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--quick") {
      options.quick = true;
    } else if (flag == "--json") {
      options.json = true;
    } else if (flag == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else if (flag == "--threads" && i + 1 < argc) {
      options.threads = std::atoi(argv[++i]);
    } else if (flag == "--steps" && i + 1 < argc) {
      options.steps = std::atoi(argv[++i]);
    } else {
      fmt::print(stderr, "usage: step_bench [--quick] [--only SUBSTRING] [--threads N] [--steps N] [--json]\n");
      return 2;
    }
  }
  try {
    return sesame::bench::run(options);
  } catch (const sesame::Error& error) {
    fmt::print(stderr, "step_bench: {}\n", error.what());
    return 1;
  }
}
