// What it costs to hand a job to the pool and wait for it, in microseconds: empty blocks, one after the other and after
// pauses in which waiting threads go to sleep. Usage: pool_bench [--threads N] [--calls N]

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

#include "sesame/analyze/table.h"
#include "sesame/base/thread_pool.h"

namespace sesame::bench {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// Works for about this long without giving up the processor, as a kernel of one thread would.
void work_alone(double microseconds) {
  const Clock::time_point start = Clock::now();
  while (microseconds_since(start) < microseconds) {
  }
}

struct Spread {
  double median, p90, p99;
};

Spread measure(ThreadPool& pool, int64_t blocks, int calls, double alone_us, bool asleep) {
  std::vector<double> times;
  std::atomic<int64_t> done = 0;
  for (int i = 0; i < calls; ++i) {
    if (asleep) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    work_alone(alone_us);
    const Clock::time_point start = Clock::now();
    pool.run(blocks, [&](int64_t, int) { done.fetch_add(1, std::memory_order_relaxed); });
    times.push_back(microseconds_since(start));
  }
  std::sort(times.begin(), times.end());
  const auto at = [&](double share) {
    return times[static_cast<size_t>(share * static_cast<double>(times.size() - 1))];
  };
  return {at(0.5), at(0.9), at(0.99)};
}

int run(int threads, int calls) {
  ThreadPool pool(threads);
  fmt::print("{} threads; microseconds for a job of empty blocks\n", pool.threads());
  TextTable table({"before the job", "blocks", "median", "90 %", "99 %"});
  const auto add = [&](const char* label, int64_t blocks, int n, double alone_us, bool asleep) {
    const Spread s = measure(pool, blocks, n, alone_us, asleep);
    table.add({label, fmt::format("{}", blocks), fmt::format("{:.2f}", s.median), fmt::format("{:.2f}", s.p90),
               fmt::format("{:.2f}", s.p99)});
  };
  for (const int64_t blocks : {int64_t{1}, int64_t{pool.threads()}, int64_t{64}})
    add("another job", blocks, calls, 0, false);
  for (const double alone : {2.0, 10.0, 100.0})
    add(fmt::format("{:.0f} us of one thread's work", alone).c_str(), pool.threads(), calls / 10, alone, false);
  add("1 ms of sleep", pool.threads(), std::min(calls / 10, 500), 0, true);
  fmt::print("{}", table.to_string());
  return 0;
}

}  // namespace
}  // namespace sesame::bench

int main(int argc, char** argv) {
  int threads = 0;
  int calls = 20000;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag == "--threads") threads = std::atoi(argv[i + 1]);
    if (flag == "--calls") calls = std::max(100, std::atoi(argv[i + 1]));
  }
  return sesame::bench::run(threads, calls);
}
