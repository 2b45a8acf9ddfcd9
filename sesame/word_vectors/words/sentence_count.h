#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "sesame/word_vectors/words/word_source.h"

namespace sesame {

/// Counts sentences that have words, over blocks that come in any order: a sentence may begin in one block and end in
/// another.
class SentenceCount {
 public:
  /// What a block has.
  struct Block {
    bool begins_with_words = false;  // before its first end
    uint64_t ends = 0;               // all, behind words or not
    bool words_at_end = false;       // behind its last end

    void add(std::span<const WordSpan> words) noexcept;
  };

  /// May be called from several threads.
  void add(int64_t index, const Block& block);
  [[nodiscard]] uint64_t total() const;

 private:
  std::mutex mutex_;
  std::vector<Block> blocks_;
};

}  // namespace sesame
