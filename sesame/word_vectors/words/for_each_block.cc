#include "sesame/word_vectors/words/for_each_block.h"

#include <condition_variable>
#include <mutex>

namespace sesame {
namespace {

/// Lets threads pass by the number of their block. A thread that fails lets all pass, since its turn will never end.
class Turns {
 public:
  /// False where a thread has failed.
  [[nodiscard]] bool wait_for(int64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ == number || given_up_; });
    return !given_up_;
  }
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ++next_;
    }
    changed_.notify_all();
  }
  void give_up() {
    {
      const std::lock_guard lock(mutex_);
      given_up_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t next_ = 0;
  bool given_up_ = false;
};

}  // namespace

void for_each_block(const WordSourceOptions& source, ThreadPool& threads, const ReadProgress& progress,
                    BlockWork work) {
  TextBlocks blocks(source);
  threads.run(threads.threads(), [&](int64_t, int thread) {
    try {
      WordSplitter splitter(source);
      TextBlock block;
      while (blocks.next(block)) {
        work(block, splitter, thread);
        if (thread == 0 && progress) progress(blocks.bytes());
      }
    } catch (...) {
      blocks.stop();
      throw;
    }
  });
}

void for_each_block_in_order(const WordSourceOptions& source, ThreadPool& threads, const ReadProgress& progress,
                             BlockWork before, BlockWork in_order, BlockWork behind) {
  Turns turns;
  for_each_block(source, threads, progress, [&](const TextBlock& block, WordSplitter& splitter, int thread) {
    try {
      before(block, splitter, thread);
      if (!turns.wait_for(block.index)) return;
      in_order(block, splitter, thread);
      turns.end();
      behind(block, splitter, thread);
    } catch (...) {
      turns.give_up();
      throw;
    }
  });
}

}  // namespace sesame
