#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"
#include "sesame/passes/plan_memory.h"

namespace sesame {
namespace {

/// A range of bytes: of the arena (space -1) or of one variable's storage.
struct Range {
  NodeId space = -1;
  int64_t begin = 0;
  int64_t end = 0;

  [[nodiscard]] bool overlaps(const Range& other) const {
    return space == other.space && begin < other.end && other.begin < end;
  }
  bool operator==(const Range&) const = default;
};

/// Runs a plan on paper: remembers which value each range holds, and refuses reads of anything else.
class PaperRun {
 public:
  PaperRun(const Graph& graph, const MemoryPlan& plan) : graph_(graph), plan_(plan) {}

  void run() {
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Op op = graph_.node(id).op;
      if (op == Op::input || op == Op::variable) write({id, 0});
    }
    for (size_t position = 0; position < plan_.schedule.size(); ++position) execute(position);
    for (const auto& output : graph_.outputs()) expect_intact(output.value, "an output at the end of the step");
    finish_updates();
  }

 private:
  [[nodiscard]] const Placement& placement(Ref ref) const {
    return plan_.placements[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)];
  }

  [[nodiscard]] Range range_of(Ref ref) const {
    const Placement& p = placement(ref);
    const int64_t bytes = graph_.type(ref).bytes();
    if (p.where == Placement::Where::variable) return {p.variable, 0, bytes};
    return {-1, p.offset, p.offset + bytes};
  }

  /// What a view shows.
  [[nodiscard]] Ref source_of(Ref ref) const {
    while (op_def(graph_.node(ref.node).op).view) ref = graph_.node(ref.node).inputs[0];
    return ref;
  }

  [[noreturn]] void violation(Ref ref, const std::string& what) const {
    fail(fmt::format("memory plan: %{}.{} ({}): {}", ref.node, ref.output, name_of(graph_.node(ref.node).op), what));
  }

  void clobber(const Range& range) {
    std::erase_if(held_, [&](const auto& entry) { return entry.second.overlaps(range); });
  }

  void write(Ref ref) {
    const Range range = range_of(ref);
    if (placement(ref).where == Placement::Where::nowhere) violation(ref, "has no place");
    if (range.space < 0 && (range.begin < 0 || range.end > plan_.arena_bytes)) violation(ref, "leaves the arena");
    if (range.space >= 0 && range.end > graph_.node(range.space).outputs[0].bytes()) {
      violation(ref, "leaves the variable that it lies in");
    }
    if (range.begin % 64 != 0) violation(ref, "is not aligned");
    clobber(range);
    held_[ref] = range;
  }

  void expect_intact(Ref ref, const std::string& reader) const {
    const Ref source = source_of(ref);
    const auto found = held_.find(source);
    if (found == held_.end()) violation(source, "is overwritten before it is read by " + reader);
    if (range_of(ref).space != found->second.space || range_of(ref).begin != found->second.begin) {
      violation(ref, "is a view that lies elsewhere than its source");
    }
  }

  void execute(size_t position) {
    const NodeId id = plan_.schedule[position];
    const Node& node = graph_.node(id);
    if (node.op == Op::input || node.op == Op::variable || op_def(node.op).view) return;
    for (const Ref input : node.inputs) expect_intact(input, fmt::format("%{}", id));
    std::vector<Range> touched;
    for (int o = 0; o < static_cast<int>(node.outputs.size()); ++o) {
      check_output(node, {id, o});
      for (const Range& other : touched) {
        if (other.overlaps(range_of({id, o}))) violation({id, o}, "overlaps another output of its node");
      }
      touched.push_back(range_of({id, o}));
    }
    for (const Ref input : node.inputs) touched.push_back(range_of(input));
    if (plan_.workspace_bytes[position] > 0) {
      const int64_t begin = plan_.workspace_offsets[position];
      const Range scratch{-1, begin, begin + plan_.workspace_bytes[position]};
      if (begin < 0 || scratch.end > plan_.arena_bytes) violation({id, 0}, "has scratch memory outside the arena");
      for (const Range& other : touched) {
        if (other.overlaps(scratch)) violation({id, 0}, "has scratch memory over its operands");
      }
      clobber(scratch);
    }
    for (int o = 0; o < static_cast<int>(node.outputs.size()); ++o) write({id, o});
  }

  void check_output(const Node& node, Ref output) const {
    const auto& masks = op_def(node.op).in_place;
    const auto o = static_cast<size_t>(output.output);
    const Range range = range_of(output);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Range operand = range_of(node.inputs[i]);
      if (!operand.overlaps(range)) continue;
      const bool allowed = o < masks.size() && (masks[o] >> i & 1u) != 0 && operand == range;
      if (!allowed) violation(output, fmt::format("overlaps operand {} without leave", i));
    }
  }

  void finish_updates() {
    std::map<NodeId, Ref> updated;
    for (const auto& update : graph_.updates()) {
      expect_intact(update.value, "an update");
      const bool copied = std::ranges::any_of(plan_.copies, [&](const auto& copy) {
        return copy.variable == update.variable && copy.value == update.value;
      });
      const bool in_storage = range_of(update.value).space == update.variable;
      if (!copied && !in_storage) violation(update.value, "never reaches the variable that it updates");
      updated[update.variable] = update.value;
    }
    for (NodeId id = 0; id < graph_.size(); ++id) {
      if (graph_.node(id).op == Op::variable && updated.count(id) == 0) {
        expect_intact({id, 0}, "the next step: it is a variable without update");
      }
    }
  }

  const Graph& graph_;
  const MemoryPlan& plan_;
  std::map<Ref, Range> held_;
};

}  // namespace

void check_plan(const Graph& graph, const MemoryPlan& plan) { PaperRun(graph, plan).run(); }

}  // namespace sesame
