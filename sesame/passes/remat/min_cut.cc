#include "sesame/passes/remat/min_cut.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sesame/base/error.h"

namespace sesame::remat {
namespace {

/// The network with what flow is left on each edge and its reverse. A remainder that only rounding can have left counts
/// as none, or it would connect what a cut separates.
class Residual {
 public:
  explicit Residual(int nodes) : arcs_(static_cast<size_t>(nodes)), level_(arcs_.size()), next_(arcs_.size()) {}

  void add_edge(int from, int to, double capacity) {
    const double noise = std::isinf(capacity) ? 0 : kRounding * capacity;
    arcs_[index(from)].push_back({to, static_cast<int>(arcs_[index(to)].size()), capacity, noise});
    arcs_[index(to)].push_back({from, static_cast<int>(arcs_[index(from)].size()) - 1, 0, noise});
  }

  /// Dinic: as many shortest augmenting paths as there are in each level graph, until the sink is out of reach.
  /// False: an infinite flow passes.
  bool push_flow(int source, int sink) {
    while (find_levels(source, sink)) {
      std::fill(next_.begin(), next_.end(), size_t{0});
      for (;;) {
        const double pushed = augment(source, sink);
        if (std::isinf(pushed)) return false;
        if (pushed <= 0) break;
      }
    }
    return true;
  }

  /// Valid after push_flow: what the source still reaches.
  [[nodiscard]] std::vector<bool> reached() const {
    std::vector<bool> reached(level_.size());
    for (size_t n = 0; n < level_.size(); ++n) reached[n] = level_[n] >= 0;
    return reached;
  }

 private:
  static constexpr double kRounding = 1e-11;
  struct Arc {
    int to;
    int reverse;  // index among the arcs of `to`
    double left;
    double noise;
  };

  static size_t index(int i) { return static_cast<size_t>(i); }

  bool find_levels(int source, int sink) {
    std::fill(level_.begin(), level_.end(), -1);
    level_[index(source)] = 0;
    std::vector<int> queue = {source};
    for (size_t head = 0; head < queue.size(); ++head) {
      for (const Arc& arc : arcs_[index(queue[head])]) {
        if (arc.left <= arc.noise || level_[index(arc.to)] >= 0) continue;
        level_[index(arc.to)] = level_[index(queue[head])] + 1;
        queue.push_back(arc.to);
      }
    }
    return level_[index(sink)] >= 0;
  }

  /// Pushes flow along one path of the level graph, found depth first without recursion: paths may be as long as the
  /// network is large.
  double augment(int source, int sink) {
    path_.clear();
    int at = source;
    while (at != sink) {
      size_t& next = next_[index(at)];
      const auto& arcs = arcs_[index(at)];
      while (next < arcs.size() && !leads_on(at, arcs[next])) ++next;
      if (next < arcs.size()) {
        path_.push_back(at);
        at = arcs[next].to;
      } else if (path_.empty()) {
        return 0;
      } else {
        at = path_.back();
        path_.pop_back();
        ++next_[index(at)];
      }
    }
    double flow = FlowNetwork::kUncuttable;
    for (const int node : path_) flow = std::min(flow, arcs_[index(node)][next_[index(node)]].left);
    if (std::isinf(flow)) return flow;
    for (const int node : path_) {
      Arc& arc = arcs_[index(node)][next_[index(node)]];
      arc.left -= flow;
      arcs_[index(arc.to)][index(arc.reverse)].left += flow;
    }
    return flow;
  }

  [[nodiscard]] bool leads_on(int from, const Arc& arc) const {
    return arc.left > arc.noise && level_[index(arc.to)] == level_[index(from)] + 1;
  }

  std::vector<std::vector<Arc>> arcs_;
  std::vector<int> level_;
  std::vector<size_t> next_;  // per node: the arc to try next
  std::vector<int> path_;
};

}  // namespace

FlowNetwork::FlowNetwork(int nodes) : nodes_(nodes) {
  if (nodes < 0) fail(fmt::format("flow network: {} nodes", nodes));
}

int FlowNetwork::add_node() { return nodes_++; }

void FlowNetwork::add_edge(int from, int to, double capacity) {
  if (from < 0 || from >= nodes_ || to < 0 || to >= nodes_) {
    fail(fmt::format("flow network: edge from {} to {} among {} nodes", from, to, nodes_));
  }
  if (!(capacity >= 0)) fail(fmt::format("flow network: edge from {} to {} of capacity {}", from, to, capacity));
  edges_.push_back({from, to, capacity});
}

FlowNetwork::Cut FlowNetwork::min_cut(int source, int sink) const {
  if (source < 0 || source >= nodes_ || sink < 0 || sink >= nodes_ || source == sink) {
    fail(fmt::format("flow network: cut between {} and {} among {} nodes", source, sink, nodes_));
  }
  Residual residual(nodes_);
  for (const Edge& edge : edges_) {
    if (edge.from != edge.to && edge.capacity > 0) residual.add_edge(edge.from, edge.to, edge.capacity);
  }
  Cut cut;
  const bool separable = residual.push_flow(source, sink);
  cut.on_source_side = residual.reached();
  if (!separable) {
    cut.capacity = kUncuttable;
    return cut;
  }
  for (const Edge& edge : edges_) {
    const bool crosses =
        cut.on_source_side[static_cast<size_t>(edge.from)] && !cut.on_source_side[static_cast<size_t>(edge.to)];
    if (crosses) cut.capacity += edge.capacity;
  }
  return cut;
}

}  // namespace sesame::remat
