#include "sesame/base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
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

/// One job at a time. A block is claimed by moving `ticket` from (round, block) to (round, block + 1), so a thread that
/// was preempted or is still asleep can neither take a block of a job that has ended nor hold up run(), which waits for
/// the blocks alone and not for the threads.
struct ThreadPool::State {
  using Job = FunctionRef<void(int64_t, int)>;
  static constexpr uint64_t kClosed = 0xFFFFFFFFu;  // a block number that no job reaches

  std::vector<std::thread> workers;

  // Written while the ticket is closed. Read before the ticket is claimed, used only if the claim succeeds.
  std::atomic<const Job*> job{nullptr};
  std::atomic<uint64_t> blocks{0};

  alignas(64) std::atomic<uint64_t> ticket{kClosed};  // round in the upper half, next block in the lower
  alignas(64) std::atomic<int64_t> unfinished_blocks{0};
  alignas(64) std::atomic<uint32_t> round{0};  // what idle workers wait on
  std::atomic<bool> failed{false};
  std::atomic<bool> stopping{false};
  std::exception_ptr exception;
  uint32_t last_round = 0;  // the caller's own count; every job has another, so that no stale claim can succeed

  void open(const Job& new_job, uint64_t new_blocks) {
    const uint64_t this_round = uint64_t{++last_round} << 32;
    ticket.store(this_round | kClosed, std::memory_order_relaxed);
    job.store(&new_job, std::memory_order_release);
    blocks.store(new_blocks, std::memory_order_release);
    unfinished_blocks.store(static_cast<int64_t>(new_blocks), std::memory_order_relaxed);
    ticket.store(this_round, std::memory_order_release);
    if (workers.empty() || new_blocks == 1) return;
    round.store(last_round, std::memory_order_release);
    round.notify_all();
  }

  void take_blocks(int thread) {
    uint64_t mine = ticket.load(std::memory_order_acquire);
    for (;;) {
      const Job* current_job = job.load(std::memory_order_acquire);
      if ((mine & kClosed) >= blocks.load(std::memory_order_acquire)) return;
      if (!ticket.compare_exchange_weak(mine, mine + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      try {
        (*current_job)(static_cast<int64_t>(mine & kClosed), thread);
      } catch (...) {
        if (!failed.exchange(true, std::memory_order_relaxed)) exception = std::current_exception();
      }
      if (unfinished_blocks.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_blocks.notify_one();
      mine = ticket.load(std::memory_order_acquire);
    }
  }

  void work(int thread) {
    uint32_t seen = 0;
    for (;;) {
      wait_for_change(round, seen);
      seen = round.load(std::memory_order_acquire);
      if (stopping.load(std::memory_order_relaxed)) return;
      take_blocks(thread);
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
  if (blocks <= 0) return;
  State& state = *state_;
  if (static_cast<uint64_t>(blocks) >= State::kClosed) {
    fail("ThreadPool::run: " + std::to_string(blocks) + " blocks are too many; at most 2^32 - 2 in one job");
  }
  state.open(f, static_cast<uint64_t>(blocks));
  state.take_blocks(0);
  for (int64_t left; (left = state.unfinished_blocks.load(std::memory_order_acquire)) != 0;) {
    wait_for_change(state.unfinished_blocks, left);
  }
  if (state.failed.load(std::memory_order_relaxed)) {
    state.failed.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(state.exception, nullptr));
  }
}

}  // namespace sesame
