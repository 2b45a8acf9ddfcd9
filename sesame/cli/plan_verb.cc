#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "sesame/analyze/flops.h"
#include "sesame/analyze/table.h"
#include "sesame/base/file.h"
#include "sesame/base/machine.h"
#include "sesame/base/text_format.h"
#include "sesame/base/thread_pool.h"
#include "sesame/cli/verbs.h"
#include "sesame/train/memory_curve.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/plan_recipe.h"

namespace sesame {
namespace {

using nlohmann::ordered_json;

struct PlanArguments {
  std::string recipe;
  std::vector<std::string> settings;
  std::string memory;
  std::string svg;
  bool curve = false;
  bool saved = false;
  bool split = false;
  bool json = false;
};

/// All that one call found out.
struct Answer {
  GptConfig config;
  MachineSpeed machine;
  RecipePlan plan;
  std::optional<MemoryCurve> curve;
  std::optional<std::vector<SavedRow>> saved;
};

std::string bytes_text(int64_t bytes) { return human_bytes(static_cast<uint64_t>(bytes)); }
std::string count_text(double count) { return human_count(count); }
std::string percent_text(double share) { return fmt::format("{:.1f} %", 100 * share); }
std::string seconds_text(double seconds) { return fmt::format("{:.4g} s", seconds); }

ordered_json layers_json(const Forecast& f) {
  ordered_json layers = ordered_json::array();
  for (const ScopeCost& row : f.scopes)
    layers.push_back(
        {{"scope", row.scope}, {"parameters", row.parameters}, {"model_flops", row.model_flops}, {"bytes", row.bytes}});
  return layers;
}

ordered_json curve_json(const MemoryCurve& curve) {
  ordered_json points = ordered_json::array();
  for (const MemoryPoint& p : curve.points)
    points.push_back({{"budget_bytes", p.budget_bytes},
                      {"planned_bytes", p.planned_bytes},
                      {"arena_bytes", p.arena_bytes},
                      {"seconds_per_step", p.seconds_per_step},
                      {"overhead", p.overhead},
                      {"lower_bound_overhead", p.lower_bound_overhead}});
  return points;
}

ordered_json saved_json(const std::vector<SavedRow>& rows) {
  ordered_json saved = ordered_json::array();
  for (const SavedRow& row : rows)
    saved.push_back({{"name", row.name},
                     {"count", row.count},
                     {"bytes", row.bytes},
                     {"kept", row.kept},
                     {"replays", row.replays},
                     {"replay_seconds", row.replay_seconds}});
  return saved;
}

ordered_json splits_json(const std::vector<Split>& splits, int64_t context) {
  ordered_json list = ordered_json::array();
  for (const Split& s : splits) {
    ordered_json split = {{"batch_size", s.batch}, {"accumulation", s.accumulation}, {"fits", s.fits}};
    if (s.fits) {
      split["planned_bytes"] = s.planned_bytes;
      split["overhead"] = s.overhead;
      split["seconds_per_step"] = s.seconds;
      split["tokens_per_s"] = s.tokens_per_s(context);
    } else {
      split["problem"] = s.problem;
    }
    list.push_back(std::move(split));
  }
  return list;
}

void print_json(const Answer& a) {
  const Forecast& f = a.plan.forecast;
  const StepPlan& step = a.plan.step;
  const TrainOptions& train = a.plan.recipe.train;
  const double seconds = f.seconds_per_step(a.machine);
  ordered_json plan = {{"model", to_string(a.config)},
                       {"parameters", f.parameters},
                       {"matmul_parameters", f.matmul_parameters},
                       {"batch_size", train.batch_size},
                       {"accumulation", train.accumulation},
                       {"tokens_per_step", f.tokens_per_step},
                       {"flops_per_token", f.flops_per_token()},
                       {"rule_of_thumb_flops_per_token",
                        rule_of_thumb_flops(f.matmul_parameters, a.config.layers, train.context, a.config.width)},
                       {"flops_per_step", f.model_flops_per_step},
                       {"arena_bytes", f.arena_bytes},
                       {"parameter_bytes", f.parameter_bytes},
                       {"gradient_bytes", f.gradient_bytes},
                       {"moment_bytes", f.moment_bytes},
                       {"planned_bytes", f.total_bytes()},
                       {"available_bytes", available_memory()},
                       {"overhead", step.overhead()},
                       {"planning_seconds", step.gradient.remat.planning_seconds},
                       {"fma_peak_gflops", a.machine.peak_gflops},
                       {"bandwidth_gb_s", a.machine.read_gbytes_s},
                       {"seconds_per_step", seconds},
                       {"seconds_are_measured", f.measured_seconds.has_value()},
                       {"seconds", seconds * static_cast<double>(train.steps)},
                       {"layers", layers_json(f)}};
  if (step.budget_bytes) {
    plan["budget_bytes"] = *step.budget_bytes;
    plan["least_budget_bytes"] = *step.least_bytes;
    plan["lower_bound_overhead"] = step.lower_bound_seconds / step.seconds_without - 1;
  }
  if (a.curve) {
    plan["least_budget_bytes"] = a.curve->least_budget_bytes;
    plan["memory_curve"] = curve_json(*a.curve);
  }
  if (a.saved) plan["saved"] = saved_json(*a.saved);
  if (!a.plan.splits.empty()) plan["splits"] = splits_json(a.plan.splits, train.context);
  std::cout << plan.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

void print_layers(const Forecast& f) {
  TextTable layers({"layer", "parameters", "a step", "share", "bytes moved"});
  for (const ScopeCost& row : f.scopes)
    layers.add({row.scope.empty() ? "(outside)" : row.scope, count_text(static_cast<double>(row.parameters)),
                flops_text(row.model_flops), percent_text(row.model_flops / f.model_flops_per_step),
                bytes_text(static_cast<int64_t>(row.bytes))});
  fmt::print("{}\n", layers.to_string());
}

void print_curve(const MemoryCurve& curve) {
  TextTable table({"budget", "planned", "a step", "overhead", "at least"});
  for (const MemoryPoint& p : curve.points)
    table.add({bytes_text(p.budget_bytes), bytes_text(p.planned_bytes), seconds_text(p.seconds_per_step),
               percent_text(p.overhead), percent_text(p.lower_bound_overhead)});
  fmt::print("{}\nleast possible budget {}; replays that cost nothing alone: {}; no replays: {}\n\n", table.to_string(),
             bytes_text(curve.least_budget_bytes), bytes_text(curve.free_bytes), bytes_text(curve.keep_bytes));
}

void print_saved(const std::vector<SavedRow>& rows) {
  TextTable table({"value that the backward part reads", "", "size", "replays", "time"});
  for (const SavedRow& row : rows)
    table.add({row.name, row.kept ? "kept" : "replayed", fmt::format("{} x {}", row.count, bytes_text(row.bytes)),
               row.replays > 0 ? fmt::format("{}", row.replays) : "",
               row.replays > 0 ? fmt::format("{:.2f} ms", 1e3 * row.replay_seconds) : ""});
  fmt::print("{}\n", table.to_string());
}

void print_splits(const std::vector<Split>& splits, const TrainOptions& chosen) {
  TextTable table({"batch x accumulation", "memory", "overhead", "a step", "tokens/s", ""});
  for (const Split& s : splits) {
    const std::string name = fmt::format("{} x {}", s.batch, s.accumulation);
    if (!s.fits) {
      table.add({name, "does not fit"});
      continue;
    }
    table.add({name, bytes_text(s.planned_bytes), percent_text(s.overhead), seconds_text(s.seconds),
               count_text(s.tokens_per_s(chosen.context)), s.batch == chosen.batch_size ? "<- chosen" : ""});
  }
  fmt::print("{}\n", table.to_string());
}

void print_text(const Answer& a) {
  const Forecast& f = a.plan.forecast;
  const TrainOptions& train = a.plan.recipe.train;
  print_layers(f);
  if (!a.plan.splits.empty()) print_splits(a.plan.splits, train);
  if (a.saved) print_saved(*a.saved);
  if (a.curve) print_curve(*a.curve);
  const double seconds = f.seconds_per_step(a.machine);
  fmt::print("model       {}\n", to_string(a.config));
  fmt::print("parameters  {} ({} in matrix products)\n", count_text(static_cast<double>(f.parameters)),
             count_text(static_cast<double>(f.matmul_parameters)));
  fmt::print(
      "FLOPs       {} a token, {} a step of {} tokens (forward and backward; causal attention counted as half)\n",
      flops_text(f.flops_per_token()), flops_text(f.model_flops_per_step), f.tokens_per_step);
  fmt::print("            {} a token by the rule 6 N + 12 L T C, which counts attention in full\n",
             flops_text(rule_of_thumb_flops(f.matmul_parameters, a.config.layers, train.context, a.config.width)));
  fmt::print("memory      {}: step {}, parameters {}, gradients {}, moments {}; {} are free\n",
             bytes_text(f.total_bytes()), bytes_text(f.arena_bytes), bytes_text(f.parameter_bytes),
             bytes_text(f.gradient_bytes), bytes_text(f.moment_bytes), human_bytes(available_memory()));
  fmt::print("replays     {}\n", replay_text(a.plan.step));
  fmt::print("machine     {}: {:.0f} GFLOP/s, {:.0f} GB/s now\n", processor_name(), a.machine.peak_gflops,
             a.machine.read_gbytes_s);
  fmt::print("time        about {} a step, {} for {} steps{}\n", human_duration(seconds),
             human_duration(seconds * static_cast<double>(train.steps)), train.steps,
             f.measured_seconds ? " (from times of the single calls here)" : "");
}

Recipe recipe_of(const PlanArguments& a) {
  std::vector<std::string> settings = a.settings;
  if (!a.memory.empty()) settings.push_back("train.memory=" + a.memory);
  if (a.split) settings.emplace_back("train.split=auto");
  return load_recipe(a.recipe, settings);
}

void run_plan(const PlanArguments& a) {
  const bool curve_wanted = a.curve || !a.svg.empty();
  const Recipe recipe = recipe_of(a);
  ThreadPool threads(static_cast<int>(recipe.train.threads));
  Answer answer{
      .config = model_config(recipe), .machine = probe_machine(threads), .plan = {}, .curve = {}, .saved = {}};
  RecipePlanner planner(
      recipe, answer.config, threads, answer.machine,
      curve_wanted || a.saved ? RecipePlanner::Measure::always : RecipePlanner::Measure::where_it_matters);
  answer.plan = planner.plan();
  if (a.saved) answer.saved = saved_rows(answer.plan.step.gradient.remat);
  if (curve_wanted) {
    const TrainOptions& train = answer.plan.recipe.train;
    StepPlanner step = planner.step_planner(train.batch_size, train.accumulation);
    answer.curve = memory_curve(step);
    planner.finish();
  }
  if (!a.svg.empty())
    write_file_atomically(
        a.svg, to_svg(*answer.curve, fmt::format("{}, {} x {} tokens", a.recipe, answer.plan.recipe.train.batch_size,
                                                 answer.plan.recipe.train.context)));
  (a.json ? print_json : print_text)(answer);
}

}  // namespace

void add_plan(CLI::App& app, int&) {
  auto a = std::make_shared<PlanArguments>();
  app.add_option("RECIPE", a->recipe, "settings, a TOML file")->required();
  app.add_option("--set", a->settings, "one setting, section.key=value; may be given again")->allow_extra_args(false);
  app.add_option("--memory", a->memory,
                 "most memory of a step, such as 1.5GiB, or auto; short for --set train.memory=");
  app.add_flag("--memory-curve", a->curve,
               "ten budgets, from the least possible to that without replays, and their times");
  app.add_option("--svg", a->svg, "draw the memory curve into this file");
  app.add_flag("--saved", a->saved, "what is kept for the backward part and what is computed again");
  app.add_flag("--split", a->split, "ways to cut the batch, and the fastest; short for --set train.split=auto");
  app.add_flag("--json", a->json, "one JSON object");
  app.footer(
      "Example:\n  sesame plan recipes/gpt2-124m.toml --set train.batch_size=8\n"
      "  sesame plan recipes/gpt2-124m.toml --set train.context=256 --memory 2GiB --saved");
  app.callback([a] { run_plan(*a); });
}

}  // namespace sesame
