#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sesame/base/thread_pool.h"
#include "sesame/graph/graph.h"

namespace sesame {

/// A dense row-major tensor in memory that someone else owns.
struct Tensor {
  void* data = nullptr;
  Type type;

  template <typename T>
  [[nodiscard]] T* as() const {
    return static_cast<T*>(data);
  }
  [[nodiscard]] int64_t elements() const { return type.shape.elements(); }
};

/// What randomness depends on besides the op's key: the run's seed and the number of the step (with gradient
/// accumulation: of the micro-batch, counted from the start of the run).
struct StepState {
  uint64_t seed = 0;
  uint64_t step = 0;
};

/// One prepared kernel call: everything is resolved when the program is compiled, so that running it looks nothing up.
///
/// Contract for kernels:
/// 1. Inputs and outputs are dense; outputs do not overlap inputs, except where the op's in-place table allows it and
///    the planner chose it (then the pointers are equal).
/// 2. Outputs hold arbitrary bytes on entry and are written in full.
/// 3. Work is split over `threads` in blocks, and every sum has an order that depends on the shapes alone: the same
///    bits come out for any number of threads, however the blocks are cut.
/// 4. Nothing is allocated; scratch memory is `workspace`, of the size that Kernel::workspace asked for, 64-byte
///    aligned.
struct KernelCall {
  const Node* node = nullptr;
  std::span<const Tensor> inputs;
  std::span<const Tensor> outputs;
  std::byte* workspace = nullptr;
  const StepState* step = nullptr;
  ThreadPool* threads = nullptr;

  template <typename T>
  [[nodiscard]] const T* in(size_t i) const {
    return static_cast<const T*>(inputs[i].data);
  }
  template <typename T>
  [[nodiscard]] T* out(size_t i) const {
    return static_cast<T*>(outputs[i].data);
  }
  [[nodiscard]] const Shape& in_shape(size_t i) const { return inputs[i].type.shape; }
  [[nodiscard]] const Shape& out_shape(size_t i) const { return outputs[i].type.shape; }
  template <typename A>
  [[nodiscard]] const A& attributes_as() const {
    return std::get<A>(node->attributes);
  }
};

struct Kernel {
  void (*run)(const KernelCall&) = nullptr;

  /// Bytes of scratch memory for this node with this many threads; null for none.
  size_t (*workspace)(const Node& node, std::span<const Type> inputs, int threads) = nullptr;
};

/// A table op x dtype -> kernel. The dtype is that of the node's first output, except for ops listed in kernel_dtype.
/// A missing kernel means: use the op's decomposition.
class Backend {
 public:
  virtual ~Backend() = default;
  [[nodiscard]] virtual const char* name() const = 0;
  /// Null if there is none.
  [[nodiscard]] virtual const Kernel* find(Op op, DType dtype) const = 0;
};

/// The dtype by which a node's kernel is chosen: that of its first floating input or output, else of its first output.
DType kernel_dtype(const Graph& graph, const Node& node);

/// Slow and obvious kernels for every primitive and every fused op that has no decomposition, in float32, float64 and,
/// where the op allows it, int32 and bool: the oracle.
const Backend& ref_backend();

/// Fast float32 kernels; whatever it lacks for a primitive is taken from ref.
const Backend& cpu_backend();

}  // namespace sesame
