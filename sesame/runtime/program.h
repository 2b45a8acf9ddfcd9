#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/backend/kernel.h"
#include "sesame/passes/plan_memory.h"
#include "sesame/runtime/arena.h"
#include "sesame/runtime/compile.h"
#include "sesame/runtime/variables.h"

namespace sesame {

/// A graph made ready to run: a flat list of kernel calls at fixed addresses. run() allocates nothing and looks nothing
/// up.
///
/// Ownership: the program owns its graph and plan; arena, variables, thread pool and backend must outlive it. Programs
/// that share an arena use the same bytes: what one leaves in its outputs is gone when another runs. Inputs are to be
/// written just before each run. One run at a time.
class Program {
 public:
  struct Options {
    const Backend* backend = nullptr;   // null: cpu_backend()
    ThreadPool* threads = nullptr;      // must be given
    Variables* variables = nullptr;     // must hold every variable of the graph, unless it has none
    std::shared_ptr<Arena> arena = {};  // null: one of its own
  };

  /// Simplifies, lowers what the backend lacks, plans memory and resolves every call. Throws Error naming the op that
  /// no kernel serves, or the variable that is missing or has another type.
  Program(const Graph& graph, const Options& options);

  /// A graph that was compiled before, for the same backend and number of threads.
  Program(CompiledGraph compiled, const Options& options);
  ~Program();
  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;

  /// Where to write an input / read an output. Throws Error, naming the nearest known name, if there is none. Inputs
  /// that the graph does not use have a place all the same.
  [[nodiscard]] Tensor input(std::string_view name) const;
  [[nodiscard]] Tensor output(std::string_view name) const;

  void run(const StepState& state);

  /// run, and add the seconds that each call took to seconds[i], i as in calls().
  void run_timed(const StepState& state, std::span<double> seconds);

  /// The calls in the order of execution.
  struct CallInfo {
    Op op;
    std::string scope;
    double flops;
    double bytes;
    std::string shapes;  // "[4096, 384] x [384, 1536] -> [4096, 1536]"
  };
  [[nodiscard]] std::vector<CallInfo> calls() const;

  /// The graph as it runs (simplified and lowered) and where its values lie.
  [[nodiscard]] const Graph& graph() const;
  [[nodiscard]] const MemoryPlan& plan() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sesame
