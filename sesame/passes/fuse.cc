#include "sesame/passes/fuse.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "sesame/graph/fused.h"
#include "sesame/graph/op_def.h"
#include "sesame/graph/ops/ops.h"
#include "sesame/passes/rewrite.h"

namespace sesame {
namespace {

using Reduction = FusedOutput::Reduction;

/// Nodes that become one. They run where the root stands: members sink down to it, reductions rise up to it.
struct Group {
  NodeId root = -1;
  std::set<NodeId> members;
  std::vector<NodeId> reductions;
  std::vector<NodeId> views;  // between a member and its reductions, read by nothing else
  std::vector<int64_t> axes;  // of the members' shape
};

/// The readers of every node, ascending; what is an output or an update is read at the end, by no node.
class Readers {
 public:
  explicit Readers(const Graph& graph) : end_(graph.size()), readers_(static_cast<size_t>(graph.size())) {
    const std::vector<bool> live = live_nodes(graph);
    for (NodeId id = 0; id < graph.size(); ++id) {
      if (!live[static_cast<size_t>(id)]) continue;
      for (const Ref ref : graph.node(id).inputs) add(ref.node, id);
    }
    for (const auto& output : graph.outputs()) add(output.value.node, end_);
    for (const auto& update : graph.updates()) add(update.value.node, end_);
  }

  [[nodiscard]] const std::vector<NodeId>& of(NodeId id) const { return readers_[static_cast<size_t>(id)]; }
  [[nodiscard]] NodeId end() const { return end_; }

 private:
  void add(NodeId id, NodeId reader) { readers_[static_cast<size_t>(id)].push_back(reader); }

  NodeId end_;
  std::vector<std::vector<NodeId>> readers_;
};

/// What the outputs are made of: the forward part.
std::vector<bool> forward_part(const Graph& graph) {
  std::vector<bool> forward(static_cast<size_t>(graph.size()), false);
  for (const auto& output : graph.outputs()) forward[static_cast<size_t>(output.value.node)] = true;
  for (NodeId id = graph.size() - 1; id >= 0; --id) {
    if (!forward[static_cast<size_t>(id)]) continue;
    for (const Ref ref : graph.node(id).inputs) forward[static_cast<size_t>(ref.node)] = true;
  }
  return forward;
}

bool is_leaf(const Node& node) { return node.op == Op::input || node.op == Op::variable; }
bool is_reduction(const Node& node) { return node.op == Op::reduce_sum || node.op == Op::reduce_max; }

/// An immediate of the list.
bool is_number(const Graph& graph, Ref ref) {
  return graph.node(ref.node).op == Op::constant && is_floating(graph.type(ref).dtype);
}

/// The one floating dtype of a node that can be an instruction.
std::optional<DType> fusable_dtype(const Graph& graph, const Node& node) {
  if (fused_operands(node.op) < 0 || node.op == Op::constant || node.replay != 0) return std::nullopt;
  std::optional<DType> dtype;
  std::vector<Type> types = graph.input_types(node);
  types.push_back(node.outputs[0]);
  for (const Type& type : types) {
    if (type.dtype == DType::i32 && (node.op != Op::cast || type == types.back())) return std::nullopt;
    if (!is_floating(type.dtype)) continue;
    if (dtype && *dtype != type.dtype) return std::nullopt;
    dtype = type.dtype;
  }
  if (node.op == Op::cast && types[0].dtype == types[1].dtype) return std::nullopt;
  return dtype;
}

/// Which axes of `shape` a reduction of the same elements, perhaps under another shape, reduces, if they are the first
/// or the last few.
std::optional<std::vector<int64_t>> axes_of_reduction(const Shape& shape, const Shape& from,
                                                      const std::vector<int64_t>& axes) {
  std::vector<bool> reduced;  // of axes longer than 1
  int64_t count = 1;
  for (int axis = 0; axis < from.rank(); ++axis) {
    const bool is_reduced = std::ranges::find(axes, axis) != axes.end();
    if (from[axis] > 1) reduced.push_back(is_reduced);
    if (is_reduced) count *= from[axis];
  }
  const bool last = std::ranges::is_sorted(reduced), first = std::ranges::is_sorted(reduced, std::greater<>());
  if (count == 1 || (!last && !first)) return std::nullopt;
  // The last axes hold the reduced elements of one result, or one result per element.
  const int64_t inner = last ? count : shape.elements() / count;
  int64_t length = 1;
  int split = shape.rank();
  while (split > 0 && length < inner) length *= shape[--split];
  if (length != inner) return std::nullopt;
  std::vector<int64_t> own;
  for (int axis = last ? split : 0; axis < (last ? shape.rank() : split); ++axis) own.push_back(axis);
  return own;
}

class Fusion {
 public:
  explicit Fusion(const Graph& graph)
      : graph_(graph), readers_(graph), forward_(forward_part(graph)), group_of_(forward_.size(), -1) {
    find_last_reads();
    for (const auto& update : graph.updates()) update_of_[update.variable] = update.value.node;
  }

  /// From the end to the beginning, so that a node meets all its readers' groups.
  std::vector<Group> groups() {
    for (NodeId id = graph_.size() - 1; id >= 0; --id) {
      if (group_of_[index(id)] >= 0 || readers_.of(id).empty() || !fusable_dtype(graph_, graph_.node(id))) continue;
      Group group{id, {id}, {}, {}, {}};
      while (join_one(group)) {
      }
      while (drop_one(group)) {
      }
      add_reductions(group);
      if (group.members.size() + group.reductions.size() < 2 || !has_floating_operand(group)) continue;
      for (const NodeId member : group.members) group_of_[index(member)] = static_cast<int>(groups_.size());
      for (const NodeId reduction : group.reductions) group_of_[index(reduction)] = static_cast<int>(groups_.size());
      groups_.push_back(std::move(group));
    }
    return std::move(groups_);
  }

  /// True if something other than the group and its reductions reads the member's value.
  [[nodiscard]] bool is_result(const Group& group, NodeId member) const {
    return std::ranges::any_of(readers_.of(member), [&](NodeId reader) { return !within(group, reader); });
  }

 private:
  static size_t index(NodeId id) { return static_cast<size_t>(id); }

  [[nodiscard]] bool within(const Group& group, NodeId reader) const {
    if (group.members.contains(reader) || std::ranges::find(group.reductions, reader) != group.reductions.end()) {
      return true;
    }
    // A view that only reductions of the group read is gone with them.
    if (reader == readers_.end() || !op_def(graph_.node(reader).op).view) return false;
    return std::ranges::all_of(readers_.of(reader), [&](NodeId id) {
      return std::ranges::find(group.reductions, id) != group.reductions.end();
    });
  }

  /// The last read of each value, also through views.
  void find_last_reads() {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (op_def(graph_.node(id).op).view) continue;
      for (const Ref ref : graph_.node(id).inputs) last_read_[storage(ref)] = id;
    }
    for (const auto& output : graph_.outputs()) last_read_[storage(output.value)] = readers_.end();
    for (const auto& update : graph_.updates()) last_read_[storage(update.value)] = readers_.end();
  }

  /// What a group reads from outside, but for numbers that become part of its list.
  [[nodiscard]] std::set<Ref> operands(const Group& group) const {
    std::set<Ref> refs;
    for (const NodeId member : group.members) {
      for (const Ref ref : graph_.node(member).inputs) {
        if (!group.members.contains(ref.node) && !is_number(graph_, ref)) refs.insert(ref);
      }
    }
    return refs;
  }

  [[nodiscard]] bool has_floating_operand(const Group& group) const {
    return std::ranges::any_of(operands(group), [&](Ref ref) { return is_floating(graph_.type(ref).dtype); });
  }

  bool join_one(Group& group) {
    const std::set<Ref> refs = operands(group);
    for (auto ref = refs.rbegin(); ref != refs.rend(); ++ref) {
      if (!may_join(group, ref->node)) continue;
      group.members.insert(ref->node);
      if (fits(group)) return true;
      group.members.erase(ref->node);
    }
    return false;
  }

  [[nodiscard]] bool may_join(const Group& group, NodeId id) const {
    const Node& node = graph_.node(id);
    const Node& root = graph_.node(group.root);
    if (group_of_[index(id)] >= 0 || forward_[index(id)] != forward_[index(group.root)]) return false;
    const auto dtype = fusable_dtype(graph_, node);
    if (!dtype || dtype != fusable_dtype(graph_, root) || node.outputs[0].shape != root.outputs[0].shape) return false;
    return !is_read_before(group, id) && !reads_what_changes(group, id);
  }

  /// True if something else needs the result before the group runs.
  [[nodiscard]] bool is_read_before(const Group& group, NodeId id) const {
    return std::ranges::any_of(readers_.of(id),
                               [&](NodeId reader) { return !group.members.contains(reader) && reader < group.root; });
  }

  /// Gives a member back that the group is better without. The others are looked at again: they may be needed by it.
  bool drop_one(Group& group) const {
    if (!fits(group)) {
      group.members.erase(group.members.begin());
      return true;
    }
    for (auto member = group.members.rbegin(); member != group.members.rend(); ++member) {
      if (*member == group.root) continue;
      if (is_read_before(group, *member) || !keeps_no_more_alive(group, *member)) {
        group.members.erase(*member);
        return true;
      }
    }
    return false;
  }

  /// A member runs at the root instead of its own place: its result is not there in between, but what it reads is.
  [[nodiscard]] bool keeps_no_more_alive(const Group& group, NodeId id) const {
    int64_t kept = 0;
    for (const Ref ref : graph_.node(id).inputs) {
      if (group.members.contains(ref.node) || is_number(graph_, ref) || is_read_by_later_member(group, id, ref))
        continue;
      const Ref stored = storage(ref);
      const bool dies = !is_leaf(graph_.node(stored.node)) && last_read_.at(stored) < group.root;
      kept += dies ? graph_.type(ref).bytes() : 0;
    }
    return kept <= graph_.node(id).outputs[0].bytes() || runs_nothing_between(group, id);
  }

  [[nodiscard]] bool is_read_by_later_member(const Group& group, NodeId id, Ref ref) const {
    return std::any_of(group.members.upper_bound(id), group.members.end(), [&](NodeId member) {
      const std::vector<Ref>& inputs = graph_.node(member).inputs;
      return std::ranges::find(inputs, ref) != inputs.end();
    });
  }

  [[nodiscard]] Ref storage(Ref ref) const {
    while (op_def(graph_.node(ref.node).op).view) ref = graph_.node(ref.node).inputs[0];
    return ref;
  }

  /// True if it reads a variable whose new value may be written over the old one before the group runs.
  [[nodiscard]] bool reads_what_changes(const Group& group, NodeId id) const {
    return std::ranges::any_of(graph_.node(id).inputs, [&](Ref ref) {
      const auto update = update_of_.find(storage(ref).node);
      return update != update_of_.end() && update->second < group.root && !group.members.contains(update->second);
    });
  }

  [[nodiscard]] bool runs_nothing_between(const Group& group, NodeId id) const {
    for (NodeId other = id + 1; other < group.root; ++other) {
      const Node& node = graph_.node(other);
      if (!group.members.contains(other) && !node.inputs.empty() && !op_def(node.op).view) return false;
    }
    return true;
  }

  [[nodiscard]] bool fits(const Group& group) const {
    size_t instructions = 0;
    size_t results = group.reductions.size();
    for (const NodeId member : group.members) {
      instructions += 1 + graph_.node(member).inputs.size();  // each operand may be a number
      results += is_result(group, member) ? 1 : 0;
    }
    return operands(group).size() <= kMaxFusedInputs && instructions <= kMaxFusedInstructions &&
           results <= kMaxFusedResults;
  }

  void add_reductions(Group& group) {
    for (const NodeId member : group.members) {
      if (!is_floating(graph_.node(member).outputs[0].dtype)) continue;
      for (const NodeId reader : readers_.of(member)) {
        if (reader == readers_.end()) continue;
        if (!op_def(graph_.node(reader).op).view) {
          add_reduction(group, reader);
          continue;
        }
        for (const NodeId id : readers_.of(reader)) {
          if (id != readers_.end()) add_reduction(group, id);
        }
      }
    }
    for (const NodeId id : group.reductions) {
      const NodeId source = graph_.node(id).inputs[0].node;
      if (op_def(graph_.node(source).op).view && within(group, source)) group.views.push_back(source);
    }
  }

  void add_reduction(Group& group, NodeId id) const {
    const Node& node = graph_.node(id);
    if (!is_reduction(node) || node.replay != 0 || forward_[index(id)] != forward_[index(group.root)]) return;
    const auto axes = axes_of_reduction(graph_.node(group.root).outputs[0].shape, graph_.type(node.inputs[0]).shape,
                                        node.attributes_as<AxesAttributes>().axes);
    const bool agree = group.reductions.empty() || axes == group.axes;
    if (!axes || !agree || std::ranges::find(group.reductions, id) != group.reductions.end()) return;
    group.reductions.push_back(id);
    if (fits(group)) {
      group.axes = *axes;
    } else {
      group.reductions.pop_back();
    }
  }

  const Graph& graph_;
  Readers readers_;
  std::vector<bool> forward_;
  std::vector<int> group_of_;
  std::map<Ref, NodeId> last_read_;
  std::map<NodeId, NodeId> update_of_;  // variable -> the node of its new value
  std::vector<Group> groups_;
};

/// One group as a list.
class ListWriter {
 public:
  ListWriter(const Graph& graph, const Fusion& fusion, const Group& group)
      : graph_(graph), fusion_(fusion), group_(group) {
    list_.shape = graph.node(group.root).outputs[0].shape;
    list_.axes = group.axes;
    for (const NodeId member : group.members) {
      for (const Ref ref : graph.node(member).inputs) {
        const bool outside = !group.members.contains(ref.node) && !is_number(graph, ref);
        if (outside && number_.emplace(ref, static_cast<int32_t>(inputs_.size())).second) inputs_.push_back(ref);
      }
    }
    for (const NodeId member : group.members) write(member);
    for (const NodeId member : group.members) {
      if (fusion.is_result(group, member)) add_result({member, 0}, {member, 0}, Reduction::none);
    }
    for (const NodeId id : group.reductions) {
      Ref source = graph.node(id).inputs[0];
      if (op_def(graph.node(source.node).op).view) source = graph.node(source.node).inputs[0];
      add_result(source, {id, 0}, graph.node(id).op == Op::reduce_sum ? Reduction::sum : Reduction::max);
    }
  }

  /// Appends the fused node and notes what the old values have become.
  void append(Rewrite& rewrite) const {
    const Node& root = graph_.node(group_.root);
    Builder& builder = rewrite.builder();
    builder.set_scope(root.scope);
    const std::vector<Value> values = fused(builder, list_, rewrite.now(inputs_), root.where);
    for (size_t i = 0; i < values.size(); ++i) {
      const Shape& shape = graph_.type(stands_for_[i]).shape;
      rewrite.set(stands_for_[i], values[i].shape() == shape ? values[i] : reshape(values[i], shape, root.where));
    }
  }

 private:
  void write(NodeId member) {
    const Node& node = graph_.node(member);
    FusedInstruction step{node.op, {-1, -1, -1}, 0, 0};
    for (size_t i = 0; i < node.inputs.size(); ++i) step.operands[i] = number_of(node.inputs[i]);
    if (node.op == Op::dropout) {
      step.value = node.attributes_as<DropoutAttributes>().rate;
      step.key = node.attributes_as<DropoutAttributes>().key;
    }
    // Operands broadcast by themselves; only what is seen outside must be made.
    const bool silent = node.op == Op::broadcast_to && !fusion_.is_result(group_, member) && !is_reduced(member);
    number_[{member, 0}] = silent ? step.operands[0] : push(step);
  }

  [[nodiscard]] bool is_reduced(NodeId member) const {
    return std::ranges::any_of(group_.reductions, [&](NodeId id) {
      const Ref source = graph_.node(id).inputs[0];
      return source.node == member ||
             (op_def(graph_.node(source.node).op).view && graph_.node(source.node).inputs[0].node == member);
    });
  }

  int32_t number_of(Ref ref) {
    if (!is_number(graph_, ref)) return number_.at(ref);
    const double value = graph_.node(ref.node).attributes_as<ConstantAttributes>().value;
    const auto [place, fresh] = constants_.emplace(value, 0);
    if (fresh) place->second = push({Op::constant, {-1, -1, -1}, value, 0});
    return place->second;
  }

  int32_t push(const FusedInstruction& step) {
    list_.instructions.push_back(step);
    return static_cast<int32_t>(inputs_.size() + list_.instructions.size()) - 1;
  }

  void add_result(Ref value, Ref stands_for, Reduction reduction) {
    list_.results.push_back({number_.at(value), reduction});
    stands_for_.push_back(stands_for);
  }

  const Graph& graph_;
  const Fusion& fusion_;
  const Group& group_;
  FusedAttributes list_;
  std::vector<Ref> inputs_;
  std::vector<Ref> stands_for_;  // per result, the old value
  std::map<Ref, int32_t> number_;
  std::map<double, int32_t> constants_;
};

/// Without numbers that have become part of lists, and views that have gone with reductions.
Graph without_dead(const Graph& graph) {
  const std::vector<bool> live = live_nodes(graph);
  Rewrite rewrite(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (live[static_cast<size_t>(id)]) rewrite.copy(id);
  }
  return rewrite.finish();
}

}  // namespace

Graph fuse(const Graph& whole) {
  const Graph graph = without_dead(whole);
  Fusion fusion(graph);
  const std::vector<Group> groups = fusion.groups();
  std::map<NodeId, const Group*> at_root;
  std::set<NodeId> gone;
  for (const Group& group : groups) {
    at_root[group.root] = &group;
    gone.insert(group.members.begin(), group.members.end());
    gone.insert(group.reductions.begin(), group.reductions.end());
    gone.insert(group.views.begin(), group.views.end());
  }
  Rewrite rewrite(graph);
  for (NodeId id = 0; id < graph.size(); ++id) {
    if (const auto found = at_root.find(id); found != at_root.end()) {
      ListWriter(graph, fusion, *found->second).append(rewrite);
    } else if (!gone.contains(id)) {
      rewrite.copy(id);
    }
  }
  return without_dead(rewrite.finish());
}

}  // namespace sesame
