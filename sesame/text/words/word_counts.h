#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/words/byte_arena.h"
#include "sesame/text/words/sorted_runs.h"
#include "sesame/text/words/word_map.h"
#include "sesame/text/words/word_span.h"

namespace sesame {

/// Counts words exactly, on several threads, in bounded memory: each thread fills a map of its own; one that outgrows
/// its share is sorted and goes to a temporary file.
class WordCounts {
 public:
  /// Threads have the numbers 0 to `threads` - 1. `directory` is for temporary files.
  WordCounts(int threads, uint64_t memory_bytes, const std::filesystem::path& directory);

  /// Each thread with its own number. Spans of size 0 are skipped.
  void add(int thread, std::string_view text, std::span<const WordSpan> words);
  void add(int thread, const WordKey& word, uint64_t count = 1);

  struct Merged {
    std::vector<WordCount> entries;  // in an order that depends on chance; words valid until the next call
    uint64_t words = 0;              // the sum of all counts
    uint64_t distinct = 0;
  };
  /// The words that occur at least min_count times, all threads taken together. More may be added afterwards.
  [[nodiscard]] Merged merge(uint64_t min_count, ThreadPool& threads);

  /// Calls emit(word, count) for every word once, by rising bytes; the word is valid during the call. In bounded memory
  /// where counts went to the temporary file.
  void for_each_sorted(ThreadPool& threads, FunctionRef<void(std::string_view word, uint64_t count)> emit);

  /// Memory that the maps hold.
  [[nodiscard]] uint64_t memory_bytes() const noexcept;

 private:
  WordMap::Entry& insert(WordMap& map, const WordKey& word);
  void make_room(WordMap& map);
  void write_out(ThreadPool& threads);
  Merged merge_maps(uint64_t min_count, ThreadPool& threads) const;
  Merged merge_runs(uint64_t min_count);

  std::vector<WordMap> maps_;
  uint64_t share_bytes_;  // of one thread
  SortedRuns runs_;
  ByteArena words_;  // that came from the runs
};

}  // namespace sesame
