#pragma once

#include <cstdint>
#include <functional>

#include "sesame/base/function_ref.h"
#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// Called with the bytes of text read so far, now and then, from one thread. What it throws ends the work.
using ReadProgress = std::function<void(uint64_t bytes)>;

using BlockWork = FunctionRef<void(const TextBlock& block, WordSplitter& splitter, int thread)>;

/// Reads a corpus on all threads of the pool: work(block, splitter, thread) for each block, in any order.
void for_each_block(const WordSourceOptions& source, ThreadPool& threads, const ReadProgress& progress, BlockWork work);

/// For each block three calls on the same thread: before, in any order; in_order, one block after the other in the
/// order of the text; behind, in any order again.
void for_each_block_in_order(const WordSourceOptions& source, ThreadPool& threads, const ReadProgress& progress,
                             BlockWork before, BlockWork in_order, BlockWork behind);

}  // namespace sesame
