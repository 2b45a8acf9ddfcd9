#pragma once

#include <cstdint>
#include <memory>

#include "sesame/base/function_ref.h"

namespace sesame {

/// A fixed set of threads that run blocks of one job at a time; the calling thread is one of them.
///
/// Contract:
/// 1. `run(blocks, f)` calls f(block, thread) once for every block in [0, blocks), thread in [0, threads()), and
/// returns
///    when all are done. Blocks may run in any order on any thread: whatever f computes for a block must depend on the
///    block alone, so that results have the same bits for any number of threads.
/// 2. The first exception that f throws is rethrown from run after all blocks have ended.
/// 3. run allocates nothing. It must not be called from inside f, nor from two threads at once.
/// 4. run waits for blocks, not for threads: a worker that is preempted or asleep delays nothing but what it has begun.
/// 5. Waiting threads spin for some microseconds and then sleep, so a preempted or idle pool costs no processor time.
class ThreadPool {
 public:
  /// `threads` >= 1 in all, the caller included; 0 means one per processor this process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  [[nodiscard]] int threads() const noexcept;

  void run(int64_t blocks, FunctionRef<void(int64_t block, int thread)> f);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Processors that this process may use (affinity mask and cgroup quota, at least 1).
int available_processors();

}  // namespace sesame
