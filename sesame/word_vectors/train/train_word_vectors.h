#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/options.h"
#include "sesame/word_vectors/train/tables.h"
#include "sesame/word_vectors/words/id_source.h"
#include "sesame/word_vectors/words/vocabulary.h"

namespace sesame {

/// Where a run stands; with the tables, all that is needed to go on.
struct VectorPosition {
  int64_t epoch = 0;
  int64_t chunk = 0;   // the next one of the epoch
  uint64_t words = 0;  // trained so far, over all epochs
};

struct VectorProgress {
  VectorPosition position;
  uint64_t total_words = 0;  // of all epochs
  double seconds = 0;        // of this call
  double rate = 0;           // learning rate now
  double loss = 0;   // mean negative log-likelihood of a pair, over the last blocks, each looked at before its step
  double flops = 0;  // done so far in this call, for the share of the roofline
};

/// Called from one thread a few times a second at most; false stops training at the next chunk.
using VectorProgressFunction = std::function<bool(const VectorProgress&)>;

struct VectorRun {
  VectorPosition position;
  bool finished = false;
  double seconds = 0;
  double loss = 0;  // mean over the last epoch's sampled blocks
  double flops = 0;
};

/// Trains `tables` (initial_tables, or those of a checkpoint with its `start`) on the words of `source`, on all threads
/// of the pool. `options` must be resolved(). Without options.deterministic threads share the tables without locks
/// (Hogwild: Niu et al., 2011), and results differ from run to run; with it they are the same bytes for any number of
/// threads. The learning rate falls linearly with the words trained, to 1e-4 of its initial value.
VectorRun train_word_vectors(const VectorOptions& options, const Vocabulary& vocabulary, IdSource& source,
                             VectorTables& tables, ThreadPool& threads, const VectorProgressFunction& progress = {},
                             VectorPosition start = {});

}  // namespace sesame
