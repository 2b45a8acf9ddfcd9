#include "sesame/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "sesame/base/error.h"

namespace sesame {
namespace {

class ThreadPoolTest : public testing::TestWithParam<int> {};

TEST_P(ThreadPoolTest, RunsEveryBlockOnceOnAKnownThread) {
  ThreadPool pool(GetParam());
  ASSERT_EQ(pool.threads(), GetParam());
  for (int64_t blocks : {0, 1, 2, 3, 17, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<size_t>(blocks));
    std::atomic<int> wrong_thread = 0;
    pool.run(blocks, [&](int64_t block, int thread) {
      calls[static_cast<size_t>(block)]++;
      if (thread < 0 || thread >= pool.threads()) wrong_thread++;
    });
    for (const auto& count : calls) EXPECT_EQ(count, 1);
    EXPECT_EQ(wrong_thread, 0);
  }
}

TEST_P(ThreadPoolTest, ManyShortRunsInARowLoseNoBlock) {
  ThreadPool pool(GetParam());
  std::atomic<int64_t> sum = 0;
  for (int i = 0; i < 1000; ++i) pool.run(3, [&](int64_t block, int) { sum += block + 1; });
  EXPECT_EQ(sum, 1000 * 6);
}

TEST_P(ThreadPoolTest, WakesAfterSleeping) {
  ThreadPool pool(GetParam());
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    std::atomic<int> calls = 0;
    pool.run(8, [&](int64_t, int) { calls++; });
    EXPECT_EQ(calls, 8);
  }
}

TEST_P(ThreadPoolTest, RethrowsAfterAllBlocksAndGoesOnWorking) {
  ThreadPool pool(GetParam());
  std::atomic<int> calls = 0;
  EXPECT_THROW(pool.run(10,
                        [&](int64_t block, int) {
                          calls++;
                          if (block == 3) throw std::runtime_error("block 3");
                        }),
               std::runtime_error);
  EXPECT_EQ(calls, 10);
  pool.run(5, [&](int64_t, int) { calls++; });
  EXPECT_EQ(calls, 15);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPoolTest, testing::Values(1, 2, 3, 8));

TEST(ThreadPool, WorkersTakePart) {
  ThreadPool pool(2);
  // Each block waits for the other one: only two threads at once can finish this.
  std::atomic<int> arrived = 0;
  pool.run(2, [&](int64_t, int) {
    arrived++;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ThreadPool, OneThreadRunsInTheCaller) {
  ThreadPool pool(1);
  std::set<std::thread::id> ids;
  pool.run(4, [&](int64_t, int) { ids.insert(std::this_thread::get_id()); });
  EXPECT_EQ(ids, std::set{std::this_thread::get_id()});
}

TEST(ThreadPool, ZeroMeansAllProcessorsAndNegativeIsRefused) {
  EXPECT_EQ(ThreadPool(0).threads(), available_processors());
  EXPECT_GE(available_processors(), 1);
  EXPECT_THROW(ThreadPool(-1), Error);
}

}  // namespace
}  // namespace sesame
