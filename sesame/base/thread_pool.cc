#include "sesame/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "sesame/base/error.h"

namespace sesame {
namespace {

// About 30 us: longer than the gap between two kernels of a step, shorter than a time slice of the scheduler.
constexpr int kSpins = 1000;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield" ::: "memory");
#endif
}

/// Waits until `value` is no longer `old`: first spinning, then asleep in the kernel.
template <typename T>
void wait_for_change(const std::atomic<T>& value, T old) {
  for (int spin = 0; spin < kSpins; ++spin) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  value.wait(old, std::memory_order_acquire);
}

/// Processors that the cgroup's quota pays for, or 0 where there is no quota.
double cgroup_quota() {
  std::ifstream v2("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (v2 >> quota >> period && quota != "max" && period > 0) return std::strtod(quota.c_str(), nullptr) / period;
  std::ifstream v1_quota("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream v1_period("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  double microseconds = 0;
  if (v1_quota >> microseconds && v1_period >> period && microseconds > 0 && period > 0) return microseconds / period;
  return 0;
}

}  // namespace

int available_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int count = static_cast<int>(std::thread::hardware_concurrency());
  if (sched_getaffinity(0, sizeof set, &set) == 0) count = CPU_COUNT(&set);
  const double quota = cgroup_quota();
  if (quota > 0) count = std::min(count, static_cast<int>(std::ceil(quota)));
  return std::max(count, 1);
}

struct ThreadPool::State {
  using Job = FunctionRef<void(int64_t, int)>;

  std::vector<std::thread> workers;

  // The job: written by the caller before `round` moves on, read by the workers after they saw it move.
  const Job* job = nullptr;
  int64_t blocks = 0;

  alignas(64) std::atomic<uint32_t> round{0};
  alignas(64) std::atomic<int64_t> next_block{0};
  alignas(64) std::atomic<uint32_t> busy_workers{0};
  alignas(64) std::atomic<bool> failed{false};
  std::exception_ptr exception;
  std::atomic<bool> stopping{false};

  void take_blocks(int thread) {
    for (;;) {
      const int64_t block = next_block.fetch_add(1, std::memory_order_relaxed);
      if (block >= blocks) return;
      try {
        (*job)(block, thread);
      } catch (...) {
        if (!failed.exchange(true, std::memory_order_relaxed)) exception = std::current_exception();
      }
    }
  }

  void work(int thread) {
    uint32_t seen = 0;
    for (;;) {
      wait_for_change(round, seen);
      seen = round.load(std::memory_order_acquire);
      if (stopping.load(std::memory_order_relaxed)) return;
      take_blocks(thread);
      if (busy_workers.fetch_sub(1, std::memory_order_acq_rel) == 1) busy_workers.notify_one();
    }
  }

  void stop() {
    stopping.store(true, std::memory_order_relaxed);
    round.fetch_add(1, std::memory_order_release);
    round.notify_all();
    for (std::thread& worker : workers) worker.join();
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  if (threads < 0) fail_usage("threads: must be 0 (one per processor) or more, not " + std::to_string(threads));
  if (threads == 0) threads = available_processors();
  state_->workers.reserve(static_cast<size_t>(threads - 1));
  try {
    for (int thread = 1; thread < threads; ++thread) {
      state_->workers.emplace_back([state = state_.get(), thread] { state->work(thread); });
    }
  } catch (const std::system_error& error) {
    state_->stop();
    fail("cannot start " + std::to_string(threads) + " threads: " + error.what() + "; ask for fewer");
  }
}

ThreadPool::~ThreadPool() { state_->stop(); }

int ThreadPool::threads() const noexcept { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(int64_t blocks, FunctionRef<void(int64_t block, int thread)> f) {
  State& state = *state_;
  if (blocks <= 0) return;
  state.job = &f;
  state.blocks = blocks;
  state.next_block.store(0, std::memory_order_relaxed);
  const bool alone = blocks == 1 || state.workers.empty();
  if (!alone) {
    state.busy_workers.store(static_cast<uint32_t>(state.workers.size()), std::memory_order_relaxed);
    state.round.fetch_add(1, std::memory_order_release);
    state.round.notify_all();
  }
  state.take_blocks(0);
  if (!alone) {
    for (uint32_t busy; (busy = state.busy_workers.load(std::memory_order_acquire)) != 0;) {
      wait_for_change(state.busy_workers, busy);
    }
  }
  if (state.failed.load(std::memory_order_relaxed)) {
    state.failed.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(state.exception, nullptr));
  }
}

}  // namespace sesame
