#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace sesame::remat {

/// A directed network with capacities on its edges; the cheapest set of edges that separates source from sink (Dinic's
/// algorithm, 1970).
class FlowNetwork {
 public:
  static constexpr double kUncuttable = std::numeric_limits<double>::infinity();

  explicit FlowNetwork(int nodes);
  int add_node();
  void add_edge(int from, int to, double capacity);

  struct Cut {
    double capacity = 0;               // infinite: source and sink cannot be separated
    std::vector<bool> on_source_side;  // per node, the smallest such side
  };
  Cut min_cut(int source, int sink) const;

 private:
  struct Edge {
    int from;
    int to;
    double capacity;
  };
  int nodes_;
  std::vector<Edge> edges_;
};

}  // namespace sesame::remat
