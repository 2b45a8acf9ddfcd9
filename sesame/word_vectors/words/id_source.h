#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/words/vocabulary.h"
#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// A stretch of a corpus as word ids.
struct IdChunk {
  static constexpr int32_t kSentenceEnd = -1;

  std::vector<int32_t>
      ids;  // words of the vocabulary, and kSentenceEnd behind each sentence; sentences may be cut at the ends
  int64_t index = 0;        // 0, 1, 2 ... within an epoch
  uint64_t first_word = 0;  // words before it in the epoch, kSentenceEnd not counted
  uint64_t words = 0;       // of this chunk, kSentenceEnd not counted
};

/// Hands out a corpus in chunks of about kChunkIds ids. Chunks depend on the corpus and the vocabulary alone, never on
/// threads.
class IdSource {
 public:
  static constexpr int64_t kChunkIds = 1 << 15;

  virtual ~IdSource() = default;
  /// The next chunk, false at the end of the epoch. May be called from several threads at once; each chunk goes to one.
  virtual bool next(IdChunk& chunk) = 0;
  /// Starts again at chunk `index`, from one thread. Throws Error where the source can be read only once.
  virtual void rewind(int64_t index = 0) = 0;
  /// Words of one epoch: exact, or what the vocabulary says where the corpus has not been read yet.
  [[nodiscard]] virtual uint64_t words() const noexcept = 0;
};

/// Reads the corpus once, on all threads, and keeps its ids in a temporary file in `directory` that has no name
/// (nothing is left behind by a killed run): 4 bytes a word of disk, of memory no more than a chunk a thread. Throws
/// Error when the disk is full, saying how much is needed. `progress(bytes_read)` is called now and then from one
/// thread.
std::unique_ptr<IdSource> encode_corpus(const WordSourceOptions& source, const Vocabulary& vocabulary,
                                        const std::filesystem::path& directory, ThreadPool& threads,
                                        const std::function<void(uint64_t)>& progress = {});

/// The ids of a corpus that is read while it is trained on, once: standard input with a stored vocabulary.
std::unique_ptr<IdSource> stream_corpus(const WordSourceOptions& source, const Vocabulary& vocabulary);

/// Chunks of ids in memory: for tests. `ids` holds kSentenceEnd where sentences end.
std::unique_ptr<IdSource> ids_in_memory(std::vector<int32_t> ids, int64_t chunk_ids = IdSource::kChunkIds);

}  // namespace sesame
