#include "sesame/passes/remat/materialise.h"

#include <utility>
#include <vector>

#include "sesame/graph/op_def.h"

namespace sesame::remat {
namespace {

class Copying {
 public:
  explicit Copying(const Graph& from)
      : from_(from), now_(static_cast<size_t>(from.size()), -1), runs_(static_cast<size_t>(from.size()), 0) {
    for (NodeId id = 0; id < from.size(); ++id) {
      const Op op = from.node(id).op;
      if (op == Op::input || op == Op::variable) now_[static_cast<size_t>(id)] = to_.append(from.node(id));
    }
  }

  void run(NodeId id) {
    Node copy = from_.node(id);
    for (Ref& ref : copy.inputs) ref = latest(ref);
    copy.replay += runs_[static_cast<size_t>(id)]++;
    now_[static_cast<size_t>(id)] = to_.append(std::move(copy));
  }

  Graph finish() {
    for (const auto& output : from_.outputs()) to_.output(output.name, latest(output.value));
    for (const auto& update : from_.updates()) {
      to_.update(latest({update.variable, 0}).node, latest(update.value));
    }
    return std::move(to_);
  }

 private:
  /// What the old value is now. A view is made anew for each run of what it shows.
  Ref latest(Ref old) {
    NodeId& now = now_[static_cast<size_t>(old.node)];
    const Node& node = from_.node(old.node);
    if (op_def(node.op).view) {
      const Ref source = latest(node.inputs[0]);
      if (now < 0 || to_.node(now).inputs[0] != source) {
        Node view = node;
        view.inputs = {source};
        now = to_.append(std::move(view));
      }
    }
    return {now, old.output};
  }

  const Graph& from_;
  Graph to_;
  std::vector<NodeId> now_;  // [old node]: its latest copy, or -1
  std::vector<int32_t> runs_;
};

}  // namespace

Graph materialise(const GraphProblem& problem, const Sequence& sequence) {
  Copying copying(*problem.graph);
  for (const int32_t node : sequence) copying.run(problem.node[static_cast<size_t>(node)]);
  return copying.finish();
}

}  // namespace sesame::remat
