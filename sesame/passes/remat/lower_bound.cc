#include <algorithm>
#include <cmath>
#include <limits>

#include "sesame/passes/remat/min_cut.h"
#include "sesame/passes/remat/search.h"

namespace sesame::remat {
namespace {

size_t index(int32_t i) { return static_cast<size_t>(i); }

/// What is held when the turning node has run, and what runs again after it: for a price in seconds per byte held, the
/// cheapest of both together.
class TurningPoint {
 public:
  TurningPoint(const Problem& problem, int32_t turning)
      : problem_(problem),
        turning_(turning),
        before_(problem.nodes.size(), false),
        after_(problem.nodes.size(), false),
        free_(problem.values.size(), false) {
    mark_before();
    mark_after();
    for (size_t v = 0; v < problem.values.size(); ++v) {
      wanted_.push_back(problem.values[v].kept_to_end && !computed_after(static_cast<int32_t>(v)));
    }
    for (size_t n = 0; n < problem.nodes.size(); ++n) {
      if (!after_[n]) continue;
      for (const int32_t input : problem.nodes[n].inputs) {
        if (!computed_after(input)) wanted_[index(input)] = true;
      }
    }
    count_what_the_turning_node_holds();
  }

  /// Bytes that are taken while the turning node runs, whatever else is held.
  [[nodiscard]] int64_t taken_bytes() const { return taken_; }

  struct Cheapest {
    double seconds = 0;  // computed again
    double bytes = 0;    // held
  };
  [[nodiscard]] Cheapest cheapest(double price) const {
    constexpr int kSource = 0;
    constexpr int kSink = 1;
    const auto value_node = [](size_t v) { return static_cast<int>(2 + v); };
    const auto run_node = [&](size_t n) { return static_cast<int>(2 + problem_.values.size() + n); };
    const size_t nodes = problem_.nodes.size();
    FlowNetwork network(static_cast<int>(2 + problem_.values.size() + nodes));
    // A value on the sink's side is needed, a node there runs again.
    for (size_t v = 0; v < problem_.values.size(); ++v) {
      if (computed_after(static_cast<int32_t>(v))) continue;
      const int32_t producer = problem_.values[v].producer;
      network.add_edge(producer < 0 ? kSource : run_node(index(producer)), value_node(v), price * held_bytes(v));
      if (wanted_[v]) network.add_edge(value_node(v), kSink, FlowNetwork::kUncuttable);
    }
    for (size_t n = 0; n < nodes; ++n) {
      if (after_[n]) continue;
      network.add_edge(kSource, run_node(n), seconds_again(n));
      for (const int32_t input : problem_.nodes[n].inputs) {
        network.add_edge(value_node(index(input)), run_node(n), FlowNetwork::kUncuttable);
      }
    }
    const FlowNetwork::Cut cut = network.min_cut(kSource, kSink);
    Cheapest result;
    for (size_t n = 0; n < nodes; ++n) {
      if (!after_[n] && !cut.on_source_side[index(run_node(n))]) result.seconds += seconds_again(n);
    }
    for (size_t v = 0; v < problem_.values.size(); ++v) {
      if (computed_after(static_cast<int32_t>(v))) continue;
      const int32_t producer = problem_.values[v].producer;
      const bool at_hand = producer < 0 || cut.on_source_side[index(run_node(index(producer)))];
      if (at_hand && !cut.on_source_side[index(value_node(v))]) result.bytes += held_bytes(v);
    }
    return result;
  }

 private:
  void mark_before() {
    std::vector<int32_t> stack = {turning_};
    while (!stack.empty()) {
      const int32_t n = stack.back();
      stack.pop_back();
      if (before_[index(n)]) continue;
      before_[index(n)] = true;
      for (const int32_t input : problem_.nodes[index(n)].inputs) {
        if (const int32_t producer = problem_.values[index(input)].producer; producer >= 0) stack.push_back(producer);
      }
    }
  }

  void mark_after() {
    for (size_t n = index(turning_) + 1; n < problem_.nodes.size(); ++n) {
      const auto& inputs = problem_.nodes[n].inputs;
      after_[n] = std::any_of(inputs.begin(), inputs.end(), [&](int32_t input) {
        const int32_t producer = problem_.values[index(input)].producer;
        return producer == turning_ || (producer >= 0 && after_[index(producer)]);
      });
    }
  }

  [[nodiscard]] bool computed_after(int32_t value) const {
    const int32_t producer = problem_.values[index(value)].producer;
    return producer >= 0 && after_[index(producer)];
  }

  [[nodiscard]] double held_bytes(size_t v) const {
    return free_[v] ? 0 : static_cast<double>(problem_.values[v].bytes);
  }

  /// What a run after the turning point costs beyond each node's one run: nothing where the one may come after it.
  [[nodiscard]] double seconds_again(size_t n) const {
    const Problem::Node& node = problem_.nodes[n];
    if (!before_[n]) return 0;
    return node.once ? FlowNetwork::kUncuttable : node.seconds;
  }

  /// Its inputs and outputs are there in any case, unless an output may lie on an input.
  void count_what_the_turning_node_holds() {
    const Problem::Node& node = problem_.nodes[index(turning_)];
    taken_ = problem_.fixed_bytes + node.workspace;
    const auto in_place = [&](int32_t value) {
      return std::any_of(node.in_place.begin(), node.in_place.end(),
                         [&](const auto& pair) { return pair.first == value || pair.second == value; });
    };
    for (const auto* values : {&node.inputs, &node.outputs}) {
      for (const int32_t value : *values) {
        if (in_place(value)) continue;
        free_[index(value)] = true;
        taken_ += problem_.values[index(value)].bytes;
      }
    }
  }

  const Problem& problem_;
  const int32_t turning_;
  std::vector<bool> before_;  // per node: the turning node depends on it, or it is the turning node
  std::vector<bool> after_;   // per node: it depends on the turning node
  std::vector<bool> wanted_;  // per value: read after the turning point by what has not run before it, or a result
  std::vector<bool> free_;    // per value: there whether it is needed later or not
  int64_t taken_ = 0;
};

}  // namespace

double lower_bound_seconds(const Problem& problem, int32_t turning, int64_t budget) {
  double once = 0;
  for (const auto& node : problem.nodes) once += node.seconds;
  if (turning < 0 || index(turning) >= problem.nodes.size()) return once;
  const TurningPoint point(problem, turning);
  const auto room = static_cast<double>(budget - point.taken_bytes());
  if (room < 0) return std::numeric_limits<double>::infinity();

  // The bound as a function of the price is concave and piecewise linear: go from the crossing of two pieces to the
  // next until there is none above.
  TurningPoint::Cheapest many = point.cheapest(0);
  // At a price for one byte above all seconds that there are: fewest bytes.
  TurningPoint::Cheapest few = point.cheapest(once > 0 ? 2 * once : 1);
  if (many.bytes <= room) return once;
  if (few.bytes > room) return std::numeric_limits<double>::infinity();
  double best = 0;
  for (int step = 0; step < 64; ++step) {
    const double price = (few.seconds - many.seconds) / (many.bytes - few.bytes);
    const TurningPoint::Cheapest at = point.cheapest(price);
    const double bound = at.seconds + price * (at.bytes - room);
    best = std::max(best, bound);
    const double crossing = many.seconds + price * (many.bytes - room);
    if (bound >= crossing * (1 - 1e-9) || at.bytes == many.bytes || at.bytes == few.bytes) break;
    (at.bytes > room ? many : few) = at;
  }
  return once + best * (1 - 1e-9);
}

}  // namespace sesame::remat
