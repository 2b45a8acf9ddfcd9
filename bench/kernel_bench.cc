// Every kernel that training steps run, at their sizes, by itself: time and share of the roofline that is probed in the
// same run. The cases are the distinct calls of the steps of some recipes, as they run after all passes, and those that
// the ops name themselves. Usage: kernel_bench [--recipe FILE ...] [--set SECTION.KEY=VALUE ...] [--no-ops]
// [--rounds N] [--threads N] [--only SUBSTRING] [--avx2] [--cpu-time]

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "bench/bench_clock.h"
#include "hwy/targets.h"
#include "sesame/analyze/table.h"
#include "sesame/backend/op_cases.h"
#include "sesame/base/error.h"
#include "sesame/base/huge_buffer.h"
#include "sesame/base/machine.h"
#include "sesame/graph/op_def.h"
#include "sesame/runtime/compile.h"
#include "sesame/runtime/measured_costs.h"
#include "sesame/train/model_recipe.h"
#include "sesame/train/recipe.h"
#include "sesame/train/step_profile.h"

namespace sesame::bench {
namespace {

struct Options {
  std::vector<std::string> recipes;
  std::vector<std::string> settings;
  bool ops = true;
  int rounds = 7;
  int threads = 0;
  std::string only;
};

/// A node to be timed; cases of one graph share it.
struct Case {
  std::shared_ptr<const Graph> graph;
  NodeId node;
  std::string label;
};

std::string shapes_text(const Graph& graph, const Node& node) {
  std::string text;
  for (const Type& type : graph.input_types(node)) text += (text.empty() ? "" : " x ") + type.shape.to_string();
  return text + " -> " + node.outputs[0].shape.to_string();
}

/// The calls of the step of each recipe, each kind once.
void add_recipe_cases(const Options& options, int threads, std::vector<Case>& cases) {
  std::set<std::string> known;
  for (const std::string& path : options.recipes) {
    const Recipe recipe = load_recipe(path, options.settings);
    const StepGraphs step = build_step_graphs(gpt_loss_function(model_config(recipe)), step_options(recipe));
    for (const Graph* built : {&step.gradient, &step.norm, &step.update}) {
      const auto graph = std::make_shared<const Graph>(compile(*built, {.threads = threads}).graph);
      for (NodeId id = 0; id < graph->size(); ++id) {
        const Node& node = graph->node(id);
        if (runs_no_kernel(node)) continue;
        const std::string key =
            fmt::format("{} {} {}", name_of(node.op), attributes_without_keys(node), shapes_text(*graph, node));
        if (known.insert(key).second) cases.push_back({graph, id, path.substr(path.rfind('/') + 1)});
      }
    }
  }
}

/// The large cases of the ops.
void add_op_cases(std::vector<Case>& cases) {
  for (const OpCase& op_case : large_op_cases()) {
    const auto graph = std::make_shared<const Graph>(BuiltCase(op_case, DType::f32).graph);
    for (NodeId id = 0; id < graph->size(); ++id)
      if (graph->node(id).op == op_case.op) cases.push_back({graph, id, op_case.label});
  }
}

/// The row of an index that is valid in every table; numbers that no op turns into denormals.
void fill(const Tensor& tensor) {
  uint32_t state = 1;
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    state = state * 1664525u + 1013904223u;
    if (tensor.type.dtype == DType::f32) {
      tensor.as<float>()[i] = 0.05F + static_cast<float>(state >> 8) * 0x1p-25F;
    } else if (tensor.type.dtype == DType::i32) {
      tensor.as<int32_t>()[i] = tensor.elements() == 1 ? 0 : static_cast<int32_t>((state >> 8) % 64);
    } else if (tensor.type.dtype == DType::f64) {
      tensor.as<double>()[i] = 1;
    } else {
      tensor.as<uint8_t>()[i] = static_cast<uint8_t>(state >> 31);
    }
  }
}

/// The kernel of a case with its buffers, in huge pages as the arena of a program is. Sums and moments are computed in
/// place, as they are in a step.
class Prepared {
 public:
  Prepared(const Case& bench_case, ThreadPool& pool) : node_(bench_case.graph->node(bench_case.node)) {
    kernel_ = cpu_backend().find(node_.op, kernel_dtype(*bench_case.graph, node_));
    if (kernel_ == nullptr) return;
    const std::vector<Type> types = bench_case.graph->input_types(node_);
    for (const Type& type : types) {
      inputs_.push_back({take(type.bytes()), type});
      fill(inputs_.back());
    }
    for (size_t o = 0; o < node_.outputs.size(); ++o) {
      const Type& type = node_.outputs[o];
      const uint32_t mask = sums_in_place() ? op_def(node_.op).in_place[o] : 0;
      const auto input = static_cast<size_t>(std::countr_zero(mask));
      const bool in_place = input < inputs_.size() && inputs_[input].type == type;
      outputs_.push_back({in_place ? inputs_[input].data : take(type.bytes()), type});
    }
    if (node_.op == Op::cached_attention) *inputs_[3].as<int32_t>() = static_cast<int32_t>(types[1].shape[1] - 1);
    const size_t scratch = kernel_->workspace == nullptr ? 0 : kernel_->workspace(node_, types, pool.threads());
    call_ = {&node_, inputs_, outputs_, take(static_cast<int64_t>(scratch)), &state_, &pool};
  }

  [[nodiscard]] bool has_kernel() const { return kernel_ != nullptr; }
  void run() { kernel_->run(call_); }

 private:
  [[nodiscard]] bool sums_in_place() const {
    return node_.op == Op::matmul || op_def(node_.op).cost_class == CostClass::never_twice;
  }

  std::byte* take(int64_t bytes) {
    memory_.emplace_back(static_cast<size_t>(std::max<int64_t>(bytes, 64)), HugeBuffer::FirstTouch::now);
    return memory_.back().data();
  }

  const Node& node_;
  std::vector<HugeBuffer> memory_;
  const Kernel* kernel_ = nullptr;
  std::vector<Tensor> inputs_, outputs_;
  StepState state_{1, 2};
  KernelCall call_;
};

double best_seconds(Prepared& prepared, int rounds, int threads) {
  prepared.run();
  double best = 1e30;
  for (int round = 0; round < rounds; ++round) {
    const double begin = bench_clock(threads);
    prepared.run();
    best = std::min(best, bench_clock(threads) - begin);
  }
  return best;
}

int run(const Options& options) {
  ThreadPool pool(options.threads);
  Roofline roofline{.peak_gflops = bench_peak_gflops(pool, 0.1), .memory_gbytes_s = probe_read_bandwidth(pool, 5)};
  roofline.cache_bytes = static_cast<int64_t>(last_level_cache_bytes());
  roofline.cache_gbytes_s = probe_read_bandwidth(pool, 50, last_level_cache_bytes() / 4);
  fmt::print("{} threads, {}: {:.0f} GFLOP/s, {:.1f} GB/s from memory, {:.1f} GB/s from cache\n", pool.threads(),
             vector_instructions(), roofline.peak_gflops, roofline.memory_gbytes_s, roofline.cache_gbytes_s);
  std::vector<Case> cases;
  add_recipe_cases(options, pool.threads(), cases);
  if (options.ops) add_op_cases(cases);
  TextTable table({"kernel", "ms", "GFLOP/s", "GB/s", "peak now", "roofline", "shapes", "case"});
  for (const Case& each : cases) {
    const Node& node = each.graph->node(each.node);
    const std::string shapes = shapes_text(*each.graph, node);
    if (fmt::format("{} {} {}", name_of(node.op), shapes, each.label).find(options.only) == std::string::npos) continue;
    Prepared prepared(each, pool);
    if (!prepared.has_kernel()) continue;
    const double before = bench_peak_gflops(pool, 0.004);
    const double seconds = best_seconds(prepared, options.rounds, pool.threads());
    roofline.peak_gflops = std::max(before, bench_peak_gflops(pool, 0.004));
    const Cost cost = cost_of(*each.graph, node);
    table.add({std::string(name_of(node.op)), fmt::format("{:.3f}", 1e3 * seconds),
               fmt::format("{:.1f}", 1e-9 * cost.flops / seconds), fmt::format("{:.1f}", 1e-9 * cost.bytes / seconds),
               fmt::format("{:.0f}", roofline.peak_gflops),
               fmt::format("{:.0f} %", 100 * roofline.seconds(cost.flops, cost.bytes) / seconds), shapes, each.label});
  }
  fmt::print("{}", table.to_string());
  return 0;
}

}  // namespace
}  // namespace sesame::bench

int main(int argc, char** argv) {
  sesame::bench::Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--avx2") {
      hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
    } else if (flag == "--cpu-time") {
      sesame::bench::count_processor_time();
    } else if (flag == "--no-ops") {
      options.ops = false;
    } else if (flag == "--recipe" && i + 1 < argc) {
      options.recipes.emplace_back(argv[++i]);
    } else if (flag == "--set" && i + 1 < argc) {
      options.settings.emplace_back(argv[++i]);
    } else if (flag == "--rounds" && i + 1 < argc) {
      options.rounds = std::max(1, std::atoi(argv[++i]));
    } else if (flag == "--threads" && i + 1 < argc) {
      options.threads = std::atoi(argv[++i]);
    } else if (flag == "--only" && i + 1 < argc) {
      options.only = argv[++i];
    } else {
      fmt::print(stderr, "kernel_bench: unknown flag {}\n", flag);
      return 2;
    }
  }
  try {
    return sesame::bench::run(options);
  } catch (const sesame::Error& error) {
    fmt::print(stderr, "kernel_bench: {}\n", error.what());
    return 1;
  }
}
