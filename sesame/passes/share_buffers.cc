#include "sesame/passes/share_buffers.h"

#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

/// Reads of a buffer, over all values that share it.
struct Reads {
  NodeId last = -1;         // the last node that reads it
  bool kept_whole = false;  // it is an output, or the source of a copy: it must last to the end of the step
};

class Sharing {
 public:
  explicit Sharing(const Graph& graph) : graph_(graph) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      std::vector<Ref> own;
      for (int i = 0; i < static_cast<int>(node.outputs.size()); ++i) own.push_back({id, i});
      if (op_def(node.op).view) own[0] = result_.root_of(node.inputs[0]);
      result_.root.push_back(own);
      result_.variable.emplace_back(own.size(), node.op == Op::variable ? id : NodeId{-1});
      result_.reason.emplace_back(own.size(), op_def(node.op).view ? fmt::format("view of %{}", node.inputs[0].node)
                                                                   : std::string("own buffer"));
      reads_.emplace_back(own.size());
    }
    count_reads();
  }

  SharedBuffers run() {
    refuse_exchanges();
    for (const auto& update : graph_.updates()) {
      if (!place_update(update)) {
        result_.copies.push_back(update);
        reads_of(update.value).kept_whole = true;
      }
    }
    for (NodeId id = 0; id < graph_.size(); ++id) share_in_place(id);
    return std::move(result_);
  }

 private:
  Reads& reads_of(Ref ref) {
    const Ref root = result_.root_of(ref);
    return reads_[static_cast<size_t>(root.node)][static_cast<size_t>(root.output)];
  }

  /// v <- w while w gets a new value would depend on the order of the two.
  void refuse_exchanges() const {
    for (const auto& update : graph_.updates()) {
      const Ref source = result_.root_of(update.value);
      for (const auto& other : graph_.updates()) {
        if (other.variable == source.node && other.variable != update.variable) {
          fail(
              fmt::format("memory plan: variable %{} is updated with the old value of variable %{}, which changes, too",
                          update.variable, other.variable));
        }
      }
    }
  }

  void count_reads() {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (op_def(graph_.node(id).op).view) continue;  // a view reads nothing by itself
      for (const Ref ref : graph_.node(id).inputs) reads_of(ref).last = std::max(reads_of(ref).last, id);
    }
    for (const auto& output : graph_.outputs()) reads_of(output.value).kept_whole = true;
  }

  /// Inputs of a node whose bytes output `o` may take over under the op's table: same type, read here for the last
  /// time, and by no operand that the table leaves out.
  std::vector<Ref> takeover_candidates(NodeId id, int o) {
    const Node& node = graph_.node(id);
    const OpDef& def = op_def(node.op);
    if (static_cast<size_t>(o) >= def.in_place.size()) return {};
    const uint32_t mask = def.in_place[static_cast<size_t>(o)];
    std::vector<Ref> candidates;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Ref ref = node.inputs[i];
      const bool allowed = (mask >> i & 1u) != 0 && graph_.type(ref) == node.outputs[static_cast<size_t>(o)];
      if (!allowed || reads_of(ref).kept_whole || reads_of(ref).last != id) continue;
      bool read_otherwise = false;
      for (size_t j = 0; j < node.inputs.size(); ++j) {
        const bool same_bytes = result_.root_of(node.inputs[j]) == result_.root_of(ref);
        read_otherwise = read_otherwise || (same_bytes && (mask >> j & 1u) == 0);
      }
      if (!read_otherwise) candidates.push_back(ref);
    }
    return candidates;
  }

  /// The values computed in place one after the other that end in `value`, last first. Stops at leaves.
  std::vector<Ref> chain_to(Ref value, NodeId variable, bool* starts_at_variable) {
    std::vector<Ref> chain = {value};
    *starts_at_variable = false;
    for (;;) {
      const Ref ref = chain.back();
      const std::vector<Ref> candidates = takeover_candidates(ref.node, ref.output);
      const auto own = std::ranges::find_if(candidates, [&](Ref c) { return result_.root_of(c) == Ref{variable, 0}; });
      if (own != candidates.end()) {
        *starts_at_variable = true;
        return chain;
      }
      const auto next = std::ranges::find_if(candidates, [&](Ref c) {
        const Op op = graph_.node(result_.root_of(c).node).op;
        return op != Op::variable && op != Op::input && result_.root_of(c) == c;
      });
      if (next == candidates.end()) return chain;
      chain.push_back(*next);
    }
  }

  bool place_update(const Graph::Update& update) {
    const Ref old{update.variable, 0};
    if (result_.root_of(update.value) == old) return true;  // v <- v
    const Ref value = result_.root_of(update.value);
    const Op op = graph_.node(value.node).op;
    if (op == Op::variable || op == Op::input || result_.variable_of(value) >= 0) return false;
    if (reads_of(old).kept_whole) return false;
    bool starts_at_variable = false;
    std::vector<Ref> chain = chain_to(value, update.variable, &starts_at_variable);
    const NodeId last_read = reads_of(old).last;
    const auto legal = [&] {
      return starts_at_variable ? last_read == chain.back().node : last_read < chain.back().node;
    };
    while (!legal() && chain.size() > 1 && !starts_at_variable) chain.pop_back();
    // Popping from the back shortens the chain at its start: the first write comes later, after the last read.
    if (!legal()) return false;
    const std::string& name = graph_.node(update.variable).attributes_as<LeafAttributes>().name;
    for (const Ref ref : chain) join(ref, old, fmt::format("update of {}", name));
    return true;
  }

  /// From now on `ref`'s buffer is that of `onto`.
  void join(Ref ref, Ref onto, const std::string& reason) {
    const Ref from = result_.root_of(ref);
    const Ref to = result_.root_of(onto);
    const Reads moved = reads_of(from);
    for (NodeId id = from.node; id < graph_.size(); ++id) {
      for (Ref& root : result_.root[static_cast<size_t>(id)]) {
        if (root == from) root = to;
      }
    }
    result_.reason[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)] = reason;
    Reads& reads = reads_of(to);
    reads.last = std::max(reads.last, moved.last);
    reads.kept_whole = reads.kept_whole || moved.kept_whole;
  }

  void share_in_place(NodeId id) {
    const Node& node = graph_.node(id);
    std::vector<Ref> taken;
    for (int o = 0; o < static_cast<int>(node.outputs.size()); ++o) {
      if (result_.root_of({id, o}) != Ref{id, o}) continue;  // a view, or placed in a variable
      for (const Ref candidate : takeover_candidates(id, o)) {
        const Ref root = result_.root_of(candidate);
        const Op op = graph_.node(root.node).op;
        const bool free = op != Op::variable && op != Op::input && std::ranges::find(taken, root) == taken.end();
        if (!free) continue;
        taken.push_back(root);
        join({id, o}, candidate, fmt::format("in place of %{}", candidate.node));
        break;
      }
    }
  }

  const Graph& graph_;
  SharedBuffers result_;
  std::vector<std::vector<Reads>> reads_;
};

}  // namespace

SharedBuffers share_buffers(const Graph& graph) { return Sharing(graph).run(); }

}  // namespace sesame
