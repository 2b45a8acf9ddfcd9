#include "sesame/runtime/kernel_timer.h"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <limits>

#include "sesame/base/error.h"
#include "sesame/base/machine.h"
#include "sesame/base/philox.h"
#include "sesame/graph/op_def.h"

namespace sesame {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kLargestCall = int64_t{1} << 30;

int64_t aligned(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// The input that output `o` may be computed in, or -1: sums of gradients and moments are, in a planned step.
int in_place_input(const Node& node, std::span<const Type> inputs, size_t o) {
  const auto& table = op_def(node.op).in_place;
  if (o >= table.size()) return -1;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if ((table[o] >> i & 1) != 0 && inputs[i] == node.outputs[o]) return static_cast<int>(i);
  }
  return -1;
}

/// What whole numbers must stay below to be rows of the table that they choose from; 0 where they are no such thing.
int64_t index_bound(const Node& node, std::span<const Type> inputs) {
  switch (node.op) {
    case Op::embedding:
      return inputs[0].shape[0];
    case Op::embedding_grad:
      return node.attributes_as<EmbeddingGradAttributes>().rows;
    case Op::one_hot:
      return node.outputs[0].shape[-1];
    case Op::linear_cross_entropy:
    case Op::linear_cross_entropy_grad:
    case Op::linear_cross_entropy_step:
      return inputs[1].shape[0];
    case Op::cached_attention:
      return 1;  // the caches are empty
    default:
      return 0;
  }
}

/// Repeats a short piece of random numbers: drawing them all would take longer than most kernels.
template <typename T, typename Draw>
void fill_repeating(const Tensor& tensor, Draw draw) {
  std::array<T, 1 << 12> piece;
  const Philox random(1, 1);
  for (size_t i = 0; i < piece.size(); ++i) piece[i] = draw(random.word(i, 0));
  const auto count = static_cast<size_t>(tensor.elements());
  for (size_t at = 0; at < count; at += piece.size())
    std::memcpy(tensor.as<T>() + at, piece.data(), std::min(piece.size(), count - at) * sizeof(T));
}

/// Numbers that no op turns into denormals, which some processors compute with slowly.
float positive(uint32_t word) { return 0.05F + 0.95F * Philox::uniform(word); }

/// Gives a tensor values that the node's kernel may be called with.
void fill(const Node& node, std::span<const Type> inputs, const Tensor& tensor) {
  switch (tensor.type.dtype) {
    case DType::f32:
      return fill_repeating<float>(tensor, positive);
    case DType::f64:
      return fill_repeating<double>(tensor, positive);
    case DType::i32: {
      const auto bound = static_cast<uint32_t>(index_bound(node, inputs));
      return fill_repeating<int32_t>(tensor,
                                     [&](uint32_t word) { return static_cast<int32_t>(bound > 0 ? word % bound : 1); });
    }
    case DType::boolean:
      return fill_repeating<uint8_t>(tensor, [](uint32_t word) { return static_cast<uint8_t>(word & 1); });
  }
}

/// Seconds by the wall and of all processors so far, and how often the system took one away from us.
struct Clocks {
  double wall;
  double processors;
  int64_t preemptions;

  static Clocks now() {
    timespec wall;
    timespec processors;
    rusage usage;
    clock_gettime(CLOCK_MONOTONIC, &wall);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &processors);
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timespec& t) {
      return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
    };
    return {seconds(wall), seconds(processors), usage.ru_nivcsw};
  }
};

/// What a call takes on a machine that has nothing else to do: where it was interrupted, its share of processor time.
double timed(const Kernel& kernel, const KernelCall& call) {
  const Clocks before = Clocks::now();
  kernel.run(call);
  const Clocks after = Clocks::now();
  const double wall = after.wall - before.wall;
  if (after.preemptions == before.preemptions) return wall;
  return std::min(wall, (after.processors - before.processors) / call.threads->threads());
}

double shortest_seconds(const Kernel& kernel, const KernelCall& call) {
  constexpr int kLeastCalls = 3;
  constexpr int kMostCalls = 50;
  constexpr double kEnoughSeconds = 0.01;
  constexpr double kMostSeconds = 0.5;
  double shortest = std::numeric_limits<double>::infinity();
  double spent = 0;
  for (int calls = 0; calls < kMostCalls; ++calls) {
    if (calls > 0 && (spent > kMostSeconds || (calls >= kLeastCalls && spent > kEnoughSeconds))) break;
    const double seconds = timed(kernel, call);
    shortest = std::min(shortest, seconds);
    spent += seconds;
  }
  return shortest;
}

}  // namespace

std::byte* KernelTimer::place(int64_t bytes) {
  std::byte* start = memory_.data() + used_;
  used_ += aligned(bytes);
  return start;
}

bool KernelTimer::reserve(int64_t bytes) {
  used_ = 0;
  const auto wanted = static_cast<size_t>(bytes);
  if (wanted <= memory_.size()) return true;
  if (bytes > kLargestCall || wanted > available_memory() / 2) return false;
  memory_ = HugeBuffer();
  memory_ = HugeBuffer(wanted, HugeBuffer::FirstTouch::now);
  return true;
}

std::optional<double> KernelTimer::seconds(const Graph& graph, const Node& node) {
  const Kernel* kernel = backend_->find(node.op, kernel_dtype(graph, node));
  if (kernel == nullptr) return std::nullopt;
  const std::vector<Type> types = graph.input_types(node);
  const auto scratch = static_cast<int64_t>(
      kernel->workspace != nullptr ? kernel->workspace(node, types, threads_->threads()) : size_t{0});
  int64_t bytes = aligned(scratch);
  for (const Type& type : types) bytes += aligned(type.bytes());
  for (const Type& type : node.outputs) bytes += aligned(type.bytes());
  if (!reserve(bytes)) return std::nullopt;

  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  for (const Type& type : types) {
    inputs.push_back({place(type.bytes()), type});
    fill(node, types, inputs.back());
  }
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    const int input = in_place_input(node, types, o);
    void* data = input >= 0 ? inputs[static_cast<size_t>(input)].data : place(node.outputs[o].bytes());
    outputs.push_back({data, node.outputs[o]});
  }
  const StepState state{.seed = 1, .step = 1};
  try {
    return shortest_seconds(*kernel, {&node, inputs, outputs, place(scratch), &state, threads_});
  } catch (const Error&) {
    return std::nullopt;  // not with these values
  }
}

}  // namespace sesame
