#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/text/words/sorted_runs.h"
#include "sesame/text/words/word_map.h"
#include "sesame/word_vectors/words/vocabulary.h"
#include "sesame/word_vectors/words/word_source.h"

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
    std::vector<Vocabulary::Entry> entries;  // in an order that depends on chance; words valid while the counts live
    uint64_t words = 0;                      // the sum of all counts
    uint64_t distinct = 0;
  };
  /// The words that occur at least min_count times, all threads taken together. The last call.
  Merged merge(uint64_t min_count, ThreadPool& threads);

 private:
  WordMap::Entry& insert(WordMap& map, const WordKey& word);
  void make_room(WordMap& map);
  Merged merge_maps(uint64_t min_count, ThreadPool& threads) const;
  Merged merge_runs(uint64_t min_count);

  std::vector<WordMap> maps_;
  uint64_t share_bytes_;  // of one thread
  SortedRuns runs_;
  std::deque<std::string> words_;  // that came from the runs
};

}  // namespace sesame
