#include "sesame/backend/ref/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "sesame/base/error.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kGuardBytes = 64;
constexpr std::byte kPoison{0xFF};
constexpr std::byte kGuard{0xA5};

struct AlignedDelete {
  void operator()(std::byte* bytes) const { ::operator delete[](bytes, std::align_val_t{kAlignment}); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

AlignedBytes aligned_bytes(size_t bytes) {
  return AlignedBytes(static_cast<std::byte*>(::operator new[](bytes, std::align_val_t{kAlignment})));
}

bool is_leaf(const Node& node) { return node.op == Op::input || node.op == Op::variable; }

}  // namespace

/// A tensor between two rows of guard bytes.
class Interpreter::Buffer {
 public:
  explicit Buffer(const Type& type)
      : type_(type), bytes_(static_cast<size_t>(type.bytes())), storage_(aligned_bytes(bytes_ + 2 * kGuardBytes)) {
    std::fill_n(storage_.get(), bytes_ + 2 * kGuardBytes, kGuard);
    fill(std::byte{0});
  }

  [[nodiscard]] Tensor tensor() const { return {data(), type_}; }
  [[nodiscard]] std::byte* data() const { return storage_.get() + kGuardBytes; }
  [[nodiscard]] size_t bytes() const { return bytes_; }

  void fill(std::byte value) { std::fill(data(), data() + bytes_, value); }

  [[nodiscard]] bool guards_intact() const {
    const auto intact = [](std::byte byte) { return byte == kGuard; };
    return std::all_of(storage_.get(), data(), intact) &&
           std::all_of(data() + bytes_, data() + bytes_ + kGuardBytes, intact);
  }

 private:
  Type type_;
  size_t bytes_;
  AlignedBytes storage_;
};

Interpreter::Interpreter(const Graph& graph, const Backend& backend, ThreadPool& threads)
    : graph_(graph), threads_(threads) {
  for (NodeId id = 0; id < graph.size(); ++id) {
    const Node& node = graph.node(id);
    const Kernel* kernel = nullptr;
    if (!is_leaf(node) && !op_def(node.op).view) {
      kernel = backend.find(node.op, kernel_dtype(graph, node));
      if (kernel == nullptr) {
        fail(fmt::format("backend {} has no kernel for {} of {} (node %{})", backend.name(), name_of(node.op),
                         name_of(kernel_dtype(graph, node)), id));
      }
    }
    kernels_.push_back(kernel);
    auto& outputs = buffers_.emplace_back();
    for (const Type& type : node.outputs) outputs.push_back(std::make_unique<Buffer>(type));
  }
}

Interpreter::~Interpreter() = default;

Tensor Interpreter::value(Ref ref) const {
  return buffers_[static_cast<size_t>(ref.node)][static_cast<size_t>(ref.output)]->tensor();
}

Tensor Interpreter::leaf(std::string_view name) const {
  const NodeId id = graph_.find_leaf(name);
  if (id < 0) fail(fmt::format("the graph has no input or variable \"{}\"", name));
  return value({id, 0});
}

Tensor Interpreter::output(std::string_view name) const {
  for (const Graph::Output& output : graph_.outputs()) {
    if (output.name == name) return value(output.value);
  }
  fail(fmt::format("the graph has no output \"{}\"", name));
}

void Interpreter::run(const StepState& state) {
  for (NodeId id = 0; id < graph_.size(); ++id) {
    if (!is_leaf(graph_.node(id))) run_node(id, state);
  }
  // All new values are taken before any variable changes: one may be another's old value.
  std::vector<std::vector<std::byte>> updated;
  for (const Graph::Update& update : graph_.updates()) {
    const Tensor from = value(update.value);
    updated.emplace_back(from.as<std::byte>(), from.as<std::byte>() + from.type.bytes());
  }
  for (size_t i = 0; i < updated.size(); ++i) {
    std::ranges::copy(updated[i], value({graph_.updates()[i].variable, 0}).as<std::byte>());
  }
}

void Interpreter::run_node(NodeId id, const StepState& state) {
  const Node& node = graph_.node(id);
  auto& outputs = buffers_[static_cast<size_t>(id)];
  if (op_def(node.op).view) {
    std::memcpy(outputs[0]->data(), value(node.inputs[0]).data, outputs[0]->bytes());
    return;
  }
  std::vector<Tensor> in;
  std::vector<std::vector<std::byte>> before;
  for (const Ref ref : node.inputs) {
    in.push_back(value(ref));
    before.emplace_back(in.back().as<std::byte>(), in.back().as<std::byte>() + in.back().type.bytes());
  }
  std::vector<Tensor> out;
  for (const auto& buffer : outputs) {
    buffer->fill(kPoison);
    out.push_back(buffer->tensor());
  }
  const Kernel& kernel = *kernels_[static_cast<size_t>(id)];
  const std::vector<Type> types = graph_.input_types(node);
  const size_t scratch_bytes = kernel.workspace != nullptr ? kernel.workspace(node, types, threads_.threads()) : 0;
  const Type scratch_type{DType::boolean, {std::max<int64_t>(1, static_cast<int64_t>(scratch_bytes))}};
  Buffer scratch(scratch_type);
  scratch.fill(kPoison);

  KernelCall call{&node, in, out, scratch_bytes > 0 ? scratch.data() : nullptr, &state, &threads_};
  kernel.run(call);

  const auto check = [&](bool intact, std::string_view what, size_t which) {
    if (!intact) fail(fmt::format("the kernel of {} (node %{}) wrote {} {}", name_of(node.op), id, what, which));
  };
  for (size_t i = 0; i < outputs.size(); ++i) check(outputs[i]->guards_intact(), "outside output", i);
  check(scratch.guards_intact(), "outside workspace", 0);
  for (size_t i = 0; i < in.size(); ++i) {
    check(std::memcmp(before[i].data(), in[i].data, before[i].size()) == 0, "into input", i);
  }
}

}  // namespace sesame
