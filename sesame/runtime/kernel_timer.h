#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "sesame/backend/kernel.h"
#include "sesame/base/huge_buffer.h"

namespace sesame {

/// Times single kernels by themselves, on data and memory of its own. Not thread-safe.
class KernelTimer {
 public:
  /// Both must outlive it.
  KernelTimer(const Backend& backend, ThreadPool& threads) : backend_(&backend), threads_(&threads) {}

  /// Seconds of one call of the node's kernel: the shortest of some, at most fifty and about 10 ms of them, at least
  /// three unless that takes more than half a second (what else runs on the machine can only add to it). Nothing where
  /// the backend has no kernel for the node, its operands and results need more than 1 GiB or half of the memory that
  /// is free, or the kernel refuses made-up values.
  std::optional<double> seconds(const Graph& graph, const Node& node);

 private:
  bool reserve(int64_t bytes);
  std::byte* place(int64_t bytes);

  const Backend* backend_;
  ThreadPool* threads_;
  HugeBuffer memory_;  // of the largest call so far
  int64_t used_ = 0;
};

}  // namespace sesame
