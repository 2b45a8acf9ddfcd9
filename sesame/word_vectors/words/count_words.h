#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/words/vocabulary.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

struct CountOptions {
  uint64_t min_count = 5;
  int64_t max_words = 0;                           // the most frequent ones only; 0: all
  uint64_t memory_bytes = uint64_t{1} << 30;       // of the tables; beyond it, counts go to sorted temporary files
  bool end_of_sentence = false;                    // "</s>" is word 0, with the number of sentences
  std::filesystem::path temporary_directory = {};  // empty: the system's
};

struct CountResult {
  Vocabulary vocabulary;
  uint64_t words = 0;           // of the corpus, rare ones included
  uint64_t distinct_words = 0;  // before min_count
  uint64_t sentences = 0;
};

/// Counts the words of a corpus on all threads of the pool, in one pass. Counts are exact, and the result is the same
/// for any number of threads, also where the tables outgrow memory_bytes. Throws Error for a corpus in which no word is
/// frequent enough, saying how many there are. `progress(bytes_read)` is called now and then from one thread.
CountResult count_words(const WordSourceOptions& source, const CountOptions& options, ThreadPool& threads,
                        const std::function<void(uint64_t)>& progress = {});

}  // namespace sesame
