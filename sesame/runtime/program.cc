#include "sesame/runtime/program.h"

#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "sesame/base/error.h"
#include "sesame/base/text_format.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

std::string shapes_text(const Graph& graph, const Node& node) {
  std::string text;
  for (const Type& type : graph.input_types(node)) text += (text.empty() ? "" : " x ") + type.shape.to_string();
  return text + " -> " + node.outputs[0].shape.to_string();
}

ThreadPool& threads_of(const Program::Options& options) {
  if (options.threads == nullptr) fail("program: a thread pool must be given");
  return *options.threads;
}

}  // namespace

struct Program::Impl {
  struct Call {
    void (*run)(const KernelCall&);
    KernelCall arguments;
    NodeId node;
  };
  struct Copy {
    std::byte* to;
    const std::byte* from;
    int64_t bytes;
  };

  Graph graph;
  MemoryPlan plan;
  ThreadPool* threads;
  const Variables* variables;
  std::shared_ptr<Arena> arena;
  std::byte* base;
  StepState state;
  std::vector<std::vector<Tensor>> tensors;   // [node][output]
  std::vector<std::vector<Tensor>> operands;  // [node][input]
  std::vector<Call> calls;
  std::vector<Copy> copies;

  Impl(CompiledGraph compiled, const Options& options)
      : graph(std::move(compiled.graph)),
        plan(std::move(compiled.plan)),
        threads(options.threads),
        variables(options.variables),
        arena(options.arena ? options.arena : std::make_shared<Arena>()),
        base(arena->ensure(static_cast<size_t>(plan.arena_bytes))) {}

  [[nodiscard]] std::byte* address(Ref ref) const {
    const Placement& p = plan.placements[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)];
    if (p.where == Placement::Where::arena) return base + p.offset;
    const Node& leaf = graph.node(p.variable);
    const std::string& name = leaf.attributes_as<LeafAttributes>().name;
    if (variables == nullptr) fail(fmt::format("program: variable \"{}\" has no storage", name));
    const Tensor storage = variables->get(name);
    if (storage.type != leaf.outputs[0]) {
      fail(fmt::format("program: variable \"{}\" is {} in the graph and {} in its storage", name,
                       leaf.outputs[0].to_string(), storage.type.to_string()));
    }
    return storage.as<std::byte>();
  }

  void resolve_calls(const Backend& backend) {
    for (NodeId id = 0; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      auto& outputs = tensors.emplace_back();
      for (int i = 0; i < static_cast<int>(node.outputs.size()); ++i) {
        outputs.push_back({address({id, i}), node.outputs[static_cast<size_t>(i)]});
      }
      auto& inputs = operands.emplace_back();
      for (const Ref ref : node.inputs) inputs.push_back(tensor(ref));
    }
    for (size_t position = 0; position < plan.schedule.size(); ++position) {
      const NodeId id = plan.schedule[position];
      const Node& node = graph.node(id);
      if (runs_no_kernel(node)) continue;
      const int64_t scratch = plan.workspace_offsets[position];
      const KernelCall arguments{&node,
                                 operands[static_cast<size_t>(id)],
                                 tensors[static_cast<size_t>(id)],
                                 scratch >= 0 ? base + scratch : nullptr,
                                 &state,
                                 threads};
      calls.push_back({backend.find(node.op, kernel_dtype(graph, node))->run, arguments, id});
    }
    for (const auto& copy : plan.copies) {
      copies.push_back({address({copy.variable, 0}), address(copy.value), graph.type(copy.value).bytes()});
    }
  }

  [[nodiscard]] Tensor tensor(Ref ref) const {
    return tensors[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)];
  }

  void finish() const {
    for (const Copy& copy : copies) std::memcpy(copy.to, copy.from, static_cast<size_t>(copy.bytes));
  }

  [[noreturn]] void no_such(const char* what, std::string_view name, const std::vector<std::string>& known) const {
    const auto close = nearest(name, known);
    fail(fmt::format("program: there is no {} \"{}\"{}", what, name,
                     close ? fmt::format("; did you mean \"{}\"?", *close) : ""));
  }
};

Program::Program(const Graph& graph, const Options& options)
    : Program(compile(graph, {.backend = options.backend, .threads = threads_of(options).threads()}), options) {}

Program::Program(CompiledGraph compiled, const Options& options) {
  threads_of(options);
  impl_ = std::make_unique<Impl>(std::move(compiled), options);
  impl_->resolve_calls(options.backend != nullptr ? *options.backend : cpu_backend());
}

Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

Tensor Program::input(std::string_view name) const {
  const NodeId id = impl_->graph.find_leaf(name);
  if (id >= 0 && impl_->graph.node(id).op == Op::input) return impl_->tensor({id, 0});
  std::vector<std::string> known;
  for (NodeId i = 0; i < impl_->graph.size(); ++i) {
    const Node& node = impl_->graph.node(i);
    if (node.op == Op::input) known.push_back(node.attributes_as<LeafAttributes>().name);
  }
  impl_->no_such("input", name, known);
}

Tensor Program::output(std::string_view name) const {
  std::vector<std::string> known;
  for (const auto& output : impl_->graph.outputs()) {
    if (output.name == name) return impl_->tensor(output.value);
    known.push_back(output.name);
  }
  impl_->no_such("output", name, known);
}

void Program::run(const StepState& state) {
  impl_->state = state;
  for (const auto& call : impl_->calls) call.run(call.arguments);
  impl_->finish();
}

void Program::run_timed(const StepState& state, std::span<double> seconds) {
  if (seconds.size() != impl_->calls.size()) {
    fail(fmt::format("program: {} places for the times of {} calls", seconds.size(), impl_->calls.size()));
  }
  impl_->state = state;
  auto before = std::chrono::steady_clock::now();
  for (size_t i = 0; i < impl_->calls.size(); ++i) {
    impl_->calls[i].run(impl_->calls[i].arguments);
    const auto after = std::chrono::steady_clock::now();
    seconds[i] += std::chrono::duration<double>(after - before).count();
    before = after;
  }
  impl_->finish();
}

std::vector<Program::CallInfo> Program::calls() const {
  std::vector<CallInfo> infos;
  for (const auto& call : impl_->calls) {
    const Node& node = impl_->graph.node(call.node);
    const Cost cost = cost_of(impl_->graph, node);
    infos.push_back({node.op, node.scope, cost.flops, cost.bytes, shapes_text(impl_->graph, node)});
  }
  return infos;
}

const Graph& Program::graph() const { return impl_->graph; }
const MemoryPlan& Program::plan() const { return impl_->plan; }

}  // namespace sesame
