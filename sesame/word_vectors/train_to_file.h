#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/files/vector_file.h"
#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/train_word_vectors.h"
#include "sesame/word_vectors/words/count_words.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// From a corpus to a file of vectors: everything that `sesame vectors train` does.
struct VectorRequest {
  WordSourceOptions source;
  CountOptions count;
  VectorOptions options;  // as given; resolved here
  std::filesystem::path out;
  VectorFormat format = VectorFormat::automatic;  // a .bin is fastText's with n-grams, word2vec's without
  std::filesystem::path vocabulary;               // read instead of counting; needed for standard input
  std::filesystem::path save_vocabulary;
  std::filesystem::path save_output;  // the output matrix, in word2vec's format
  std::filesystem::path temporary;    // directory of temporary files; empty: that of `out`
  bool compat = false;                // word2vec.c, step by step
  bool resume = false;                // goes on from checkpoint_of(out)
  double checkpoint_seconds = 600;    // between checkpoints; 0: only when stopped
};

/// Where a run that was stopped left its state: `out`.resume.
std::filesystem::path checkpoint_of(const std::filesystem::path& out);

/// What a caller may show while it runs. Each is called from one thread.
struct VectorObserver {
  std::function<void(uint64_t bytes)> counting;  // of text read
  std::function<void(const Vocabulary& vocabulary, const CountResult* count)>
      vocabulary;  // null: it was read from a file
  std::function<void(uint64_t bytes)> encoding;
  std::function<void(const VectorProgress&)> training;
  std::function<bool()> stop;  // true ends training at the next chunk, with a checkpoint and loadable vectors
};

struct VectorReport {
  VectorOptions options;  // resolved
  int32_t vocabulary = 0;
  uint64_t train_words = 0;    // in the vocabulary, one epoch
  uint64_t words_trained = 0;  // by this call, over all epochs
  double count_seconds = 0;
  double encode_seconds = 0;
  double train_seconds = 0;
  double write_seconds = 0;
  double loss = 0;   // mean negative log-likelihood of a pair
  double flops = 0;  // of training
  uint64_t matrix_bytes = 0;
  bool finished = false;

  /// Reading included, writing not.
  [[nodiscard]] double seconds() const { return count_seconds + encode_seconds + train_seconds; }
};

/// Throws Error; what was at `out` before is untouched unless the run ended or was stopped.
VectorReport train_vectors_to_file(const VectorRequest& request, ThreadPool& threads, const VectorObserver& observer);

}  // namespace sesame
