#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "sesame/backend/kernel.h"
#include "sesame/base/machine.h"
#include "sesame/graph/graph.h"
#include "sesame/runtime/cost_file.h"
#include "sesame/runtime/kernel_timer.h"

namespace sesame {

/// The attributes as text, without the keys of random numbers: those change values, not times.
std::string attributes_without_keys(const Node& node);

/// The least time that a node can take on a machine: the longer of its operations at the peak and its bytes at the
/// bandwidth (Williams et al. 2009, "Roofline"); 0 for leaves and views.
double roofline_seconds(const Graph& graph, const Node& node, const MachineSpeed& machine);

/// What nodes take on this machine, in seconds, found out by running their kernels on data of its own.
///
/// Nodes of equal op, attributes (keys of random numbers aside), types and number of threads count as one, are timed
/// once, and are kept in memory and in a file. Where the time for measuring has run out, or a node cannot be timed by
/// itself, its time is estimated: its roofline, as many times as the most similar node that was timed took its own.
///
/// An object can be called, and so be the `seconds` of NodeCosts. Not thread-safe.
class MeasuredCosts {
 public:
  struct Options {
    const Backend* backend = nullptr;          // null: cpu_backend()
    ThreadPool* threads = nullptr;             // must be given
    std::filesystem::path file = {};           // cost_file.h; empty: none
    double limit_seconds = 5;                  // of measuring; 0: only the file is used
    std::optional<MachineSpeed> machine = {};  // for estimates; absent: probed when the first is made
  };

  /// Reads the file. Backend and threads must outlive it.
  explicit MeasuredCosts(const Options& options);

  double operator()(const Graph& graph, const Node& node);

  /// The seconds of those nodes of the graph that have been timed.
  [[nodiscard]] double timed_seconds(const Graph& graph) const;

  /// Gives back the memory that kernels were timed in, and writes what is new to the file.
  void finish();

 private:
  [[nodiscard]] std::string key_of(const Graph& graph, const Node& node) const;
  [[nodiscard]] double estimate(const Graph& graph, const Node& node);

  const Backend* backend_;
  ThreadPool* threads_;
  std::filesystem::path file_;
  double seconds_left_;
  std::optional<KernelTimer> timer_;
  std::optional<MachineSpeed> machine_;
  TimedCalls calls_;
  std::map<std::string, double, std::less<>> estimates_;
  bool unsaved_ = false;
};

}  // namespace sesame
