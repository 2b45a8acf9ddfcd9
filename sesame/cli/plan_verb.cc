#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "sesame/analyze/flops.h"
#include "sesame/analyze/table.h"
#include "sesame/base/machine.h"
#include "sesame/base/text_format.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/verbs.h"
#include "sesame/train/forecast.h"
#include "sesame/train/model_recipe.h"

namespace sesame {
namespace {

struct PlanArguments {
  std::string recipe;
  std::vector<std::string> settings;
  bool json = false;
};

std::string bytes_text(int64_t bytes) { return human_bytes(static_cast<uint64_t>(bytes)); }
std::string count_text(double count) { return human_count(count); }

void print_json(const Recipe& recipe, const GptConfig& config, const Forecast& f, const MachineSpeed& machine) {
  nlohmann::ordered_json layers = nlohmann::ordered_json::array();
  for (const ScopeCost& row : f.scopes)
    layers.push_back(
        {{"scope", row.scope}, {"parameters", row.parameters}, {"model_flops", row.model_flops}, {"bytes", row.bytes}});
  const double seconds = f.seconds_per_step(machine);
  const nlohmann::ordered_json plan = {
      {"model", to_string(config)},
      {"parameters", f.parameters},
      {"matmul_parameters", f.matmul_parameters},
      {"tokens_per_step", f.tokens_per_step},
      {"flops_per_token", f.flops_per_token()},
      {"rule_of_thumb_flops_per_token",
       rule_of_thumb_flops(f.matmul_parameters, config.layers, recipe.train.context, config.width)},
      {"flops_per_step", f.model_flops_per_step},
      {"arena_bytes", f.arena_bytes},
      {"parameter_bytes", f.parameter_bytes},
      {"gradient_bytes", f.gradient_bytes},
      {"moment_bytes", f.moment_bytes},
      {"planned_bytes", f.total_bytes()},
      {"available_bytes", available_memory()},
      {"fma_peak_gflops", machine.peak_gflops},
      {"bandwidth_gb_s", machine.read_gbytes_s},
      {"seconds_per_step", seconds},
      {"seconds", seconds * static_cast<double>(recipe.train.steps)},
      {"layers", layers}};
  std::cout << plan.dump() << "\n";
}

void print_text(const Recipe& recipe, const GptConfig& config, const Forecast& f, const MachineSpeed& machine) {
  TextTable layers({"layer", "parameters", "a step", "share", "bytes moved"});
  for (const ScopeCost& row : f.scopes)
    layers.add({row.scope.empty() ? "(outside)" : row.scope, count_text(static_cast<double>(row.parameters)),
                flops_text(row.model_flops), fmt::format("{:.1f} %", 100 * row.model_flops / f.model_flops_per_step),
                bytes_text(static_cast<int64_t>(row.bytes))});
  fmt::print("{}\n", layers.to_string());
  const double seconds = f.seconds_per_step(machine);
  fmt::print("model       {}\n", to_string(config));
  fmt::print("parameters  {} ({} in matrix products)\n", count_text(static_cast<double>(f.parameters)),
             count_text(static_cast<double>(f.matmul_parameters)));
  fmt::print(
      "FLOPs       {} a token, {} a step of {} tokens (forward and backward; causal attention counted as half)\n",
      flops_text(f.flops_per_token()), flops_text(f.model_flops_per_step), f.tokens_per_step);
  fmt::print("            {} a token by the rule 6 N + 12 L T C, which counts attention in full\n",
             flops_text(rule_of_thumb_flops(f.matmul_parameters, config.layers, recipe.train.context, config.width)));
  fmt::print("memory      {}: step {}, parameters {}, gradients {}, moments {}; {} are free\n",
             bytes_text(f.total_bytes()), bytes_text(f.arena_bytes), bytes_text(f.parameter_bytes),
             bytes_text(f.gradient_bytes), bytes_text(f.moment_bytes), human_bytes(available_memory()));
  fmt::print("machine     {}: {:.0f} GFLOP/s, {:.0f} GB/s now\n", processor_name(), machine.peak_gflops,
             machine.read_gbytes_s);
  fmt::print("time        about {} a step, {} for {} steps\n", human_duration(seconds),
             human_duration(seconds * static_cast<double>(recipe.train.steps)), recipe.train.steps);
}

void run_plan(const PlanArguments& a) {
  const Recipe recipe = load_recipe(a.recipe, a.settings);
  const GptConfig config = model_config(recipe);
  ThreadPool threads(static_cast<int>(recipe.train.threads));
  const Forecast f = forecast(gpt_loss_function(config), step_options(recipe), threads.threads());
  const MachineSpeed machine = probe_machine(threads);
  (a.json ? print_json : print_text)(recipe, config, f, machine);
}

}  // namespace

void add_plan(CLI::App& app, int&) {
  auto a = std::make_shared<PlanArguments>();
  app.add_option("RECIPE", a->recipe, "settings, a TOML file")->required();
  app.add_option("--set", a->settings, "one setting, section.key=value; may be given again")->allow_extra_args(false);
  app.add_flag("--json", a->json, "one JSON object");
  app.footer("Example:\n  sesame plan recipes/gpt2-124m.toml --set train.batch_size=8");
  app.callback([a] { run_plan(*a); });
}

}  // namespace sesame
