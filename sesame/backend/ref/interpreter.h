#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "sesame/backend/kernel.h"

namespace sesame {

/// Runs a graph one node after the other, every value in a buffer of its own: no pass, no plan, nothing in place. What
/// a Program computes is held against it. It also polices kernels: outputs are full of 0xFF bytes (NaN, -1) when a
/// kernel starts, and run() throws Error when a kernel has written past an output's end or into an input.
class Interpreter {
 public:
  /// Throws Error naming the first op for which the backend has no kernel. All three arguments must outlive this
  /// object.
  Interpreter(const Graph& graph, const Backend& backend, ThreadPool& threads);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  /// The bytes of any value. Write inputs and variables (zero at first) before run; read anything after it.
  [[nodiscard]] Tensor value(Ref ref) const;

  /// The same for the named leaf / output. Throws Error if there is none.
  [[nodiscard]] Tensor leaf(std::string_view name) const;
  [[nodiscard]] Tensor output(std::string_view name) const;

  /// Computes every node, then carries out the graph's updates.
  void run(const StepState& state);

 private:
  class Buffer;
  void run_node(NodeId id, const StepState& state);

  const Graph& graph_;
  ThreadPool& threads_;
  std::vector<const Kernel*> kernels_;                         // by node; null for leaves and views
  std::vector<std::vector<std::unique_ptr<Buffer>>> buffers_;  // by node and output
};

}  // namespace sesame
