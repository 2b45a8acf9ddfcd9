#include "sesame/passes/plan_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "sesame/graph/op_def.h"
#include "sesame/passes/share_buffers.h"

namespace sesame {
namespace {

int64_t aligned(int64_t bytes) { return (bytes + kArenaAlignment - 1) / kArenaAlignment * kArenaAlignment; }

/// A stretch of the arena and the positions of the schedule between which it is taken, both included.
struct Buffer {
  int64_t bytes = 0;
  int32_t first = 0;
  int32_t last = 0;
  int64_t offset = -1;
  Ref root;                // whose value it holds, or
  int32_t workspace = -1;  // the position of the call that it is scratch memory for
};

/// First fit in the given order: each buffer gets the lowest offset that is free for its whole life.
int64_t first_fit(std::vector<Buffer>& buffers, const std::vector<size_t>& order) {
  int64_t arena = 0;
  std::vector<const Buffer*> placed;  // by offset
  placed.reserve(buffers.size());
  for (const size_t index : order) {
    Buffer& buffer = buffers[index];
    int64_t offset = 0;
    for (const Buffer* other : placed) {
      if (other->last < buffer.first || buffer.last < other->first) continue;
      if (other->offset >= offset + buffer.bytes) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    buffer.offset = offset;
    arena = std::max(arena, offset + buffer.bytes);
    const auto place = std::ranges::upper_bound(placed, offset, {}, [](const Buffer* b) { return b->offset; });
    placed.insert(place, &buffer);
  }
  return arena;
}

/// First fit by decreasing size, by life times size and by life; where none reaches the largest sum of live bytes,
/// again with the buffers first that ended above it. The best of all.
int64_t assign_offsets(std::vector<Buffer>& buffers, int64_t lower_bound) {
  constexpr int kRetries = 12;
  std::vector<size_t> order(buffers.size());
  int64_t best = std::numeric_limits<int64_t>::max();
  std::vector<int64_t> best_offsets;
  const auto attempt = [&] {
    const int64_t arena = first_fit(buffers, order);
    if (arena >= best) return;
    best = arena;
    best_offsets.clear();
    for (const Buffer& buffer : buffers) best_offsets.push_back(buffer.offset);
  };
  const auto life = [](const Buffer& b) { return static_cast<double>(b.last - b.first + 1); };
  const auto sort_by = [&](auto key) {
    std::iota(order.begin(), order.end(), size_t{0});
    std::ranges::stable_sort(order, [&](size_t a, size_t b) { return key(buffers[a]) > key(buffers[b]); });
  };
  for (int rule = 0; rule < 3 && best > lower_bound; ++rule) {
    if (rule == 0) sort_by([](const Buffer& b) { return static_cast<double>(b.bytes); });
    if (rule == 1) sort_by([&](const Buffer& b) { return static_cast<double>(b.bytes) * life(b); });
    if (rule == 2) sort_by(life);
    attempt();
    for (int retry = 0; retry < kRetries && best > lower_bound; ++retry) {
      std::ranges::stable_partition(order,
                                    [&](size_t i) { return buffers[i].offset + buffers[i].bytes > lower_bound; });
      attempt();
    }
  }
  for (size_t i = 0; i < buffers.size(); ++i) buffers[i].offset = best_offsets[i];
  return buffers.empty() ? 0 : best;
}

int64_t largest_live_sum(const std::vector<Buffer>& buffers, size_t positions) {
  std::vector<int64_t> change(positions + 2, 0);
  for (const Buffer& buffer : buffers) {
    change[static_cast<size_t>(buffer.first)] += buffer.bytes;
    change[static_cast<size_t>(buffer.last) + 1] -= buffer.bytes;
  }
  int64_t live = 0;
  int64_t largest = 0;
  for (const int64_t c : change) largest = std::max(largest, live += c);
  return largest;
}

/// The arena buffers of all roots, with lives over every value that shares them.
std::vector<Buffer> value_buffers(const Graph& graph, const SharedBuffers& shared,
                                  std::vector<std::vector<int>>& buffer_of) {
  std::vector<Buffer> buffers;
  const int32_t end = graph.size();
  buffer_of.resize(static_cast<size_t>(graph.size()));
  const auto find = [&](Ref ref) -> Buffer* {
    if (shared.variable_of(ref) >= 0) return nullptr;
    const Ref root = shared.root_of(ref);
    const int index = buffer_of[static_cast<size_t>(root.node)][static_cast<size_t>(root.output)];
    return &buffers[static_cast<size_t>(index)];
  };
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    buffer_of[static_cast<size_t>(id)].assign(node.outputs.size(), -1);
    for (int i = 0; i < static_cast<int>(node.outputs.size()); ++i) {
      const Ref ref{id, i};
      if (shared.root_of(ref) == ref && shared.variable_of(ref) < 0) {
        buffer_of[static_cast<size_t>(id)][static_cast<size_t>(i)] = static_cast<int>(buffers.size());
        const bool is_input = node.op == Op::input;
        buffers.push_back({.bytes = aligned(node.outputs[static_cast<size_t>(i)].bytes()),
                           .first = is_input ? 0 : id,
                           .last = is_input ? end : id,
                           .root = ref});
      } else if (Buffer* buffer = find(ref)) {
        buffer->last = std::max(buffer->last, id);
      }
    }
    for (const Ref ref : node.inputs) {
      if (Buffer* buffer = find(ref)) buffer->last = std::max(buffer->last, id);
    }
  }
  for (const auto& output : graph.outputs()) {
    if (Buffer* buffer = find(output.value)) buffer->last = end;
  }
  for (const auto& copy : shared.copies) {
    if (Buffer* buffer = find(copy.value)) buffer->last = end;
  }
  return buffers;
}

}  // namespace

MemoryPlan plan_memory(const Graph& graph, FunctionRef<int64_t(const Graph&, const Node&)> workspace) {
  MemoryPlan plan;
  const SharedBuffers shared = share_buffers(graph);
  plan.copies = shared.copies;
  std::vector<std::vector<int>> buffer_of;
  std::vector<Buffer> buffers = value_buffers(graph, shared, buffer_of);
  for (NodeId id = 0; id < graph.size(); ++id) {
    plan.schedule.push_back(id);
    const int64_t bytes = aligned(workspace(graph, graph.node(id)));
    plan.workspace_bytes.push_back(bytes);
    plan.workspace_offsets.push_back(-1);
    if (bytes > 0) buffers.push_back({.bytes = bytes, .first = id, .last = id, .root = {}, .workspace = id});
  }
  plan.lower_bound_bytes = largest_live_sum(buffers, plan.schedule.size());
  plan.arena_bytes = assign_offsets(buffers, plan.lower_bound_bytes);
  for (const Buffer& buffer : buffers) {
    if (buffer.workspace >= 0) plan.workspace_offsets[static_cast<size_t>(buffer.workspace)] = buffer.offset;
  }
  for (NodeId id = 0; id < graph.size(); ++id) {
    auto& placements = plan.placements.emplace_back();
    for (int i = 0; i < static_cast<int>(graph.node(id).outputs.size()); ++i) {
      Placement placement;
      placement.reason = shared.reason[static_cast<size_t>(id)][static_cast<size_t>(i)];
      const Ref root = shared.root_of({id, i});
      placement.variable = shared.variable_of(root);
      if (placement.variable >= 0) {
        placement.where = Placement::Where::variable;
      } else {
        const int index = buffer_of[static_cast<size_t>(root.node)][static_cast<size_t>(root.output)];
        const Buffer& buffer = buffers[static_cast<size_t>(index)];
        placement.where = Placement::Where::arena;
        placement.offset = buffer.offset;
        placement.first_use = buffer.first;
        placement.last_use = buffer.last;
      }
      placements.push_back(std::move(placement));
    }
  }
  return plan;
}

std::string to_string(const Graph& graph, const MemoryPlan& plan) {
  std::string text =
      fmt::format("arena {} bytes, largest sum of live values {} bytes\n", plan.arena_bytes, plan.lower_bound_bytes);
  for (const NodeId id : plan.schedule) {
    const Node& node = graph.node(id);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const Placement& p = plan.placements[static_cast<size_t>(id)][i];
      const std::string place = p.where == Placement::Where::arena
                                    ? fmt::format("@{} life {}..{}", p.offset, p.first_use, p.last_use)
                                    : fmt::format("variable %{}", p.variable);
      text +=
          fmt::format("%{}.{} {} {} bytes {}: {}\n", id, i, name_of(node.op), node.outputs[i].bytes(), place, p.reason);
    }
  }
  return text;
}

}  // namespace sesame
