#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/split/split_pattern.h"

namespace sesame {

/// Counts the pre-tokenized words of a stream of documents, the input of a BPE trainer. Documents are counted on
/// several threads in batches; the counts do not depend on how many. Memory grows with the distinct words, not with the
/// text. Special tokens written in a document separate words and are not counted. One caller at a time.
class WordCounter {
 public:
  /// `threads` as for ThreadPool: 0 is one per processor.
  explicit WordCounter(SplitPattern pattern, std::vector<std::string> special_tokens = {"<|endoftext|>"},
                       int threads = 0);
  ~WordCounter();
  WordCounter(WordCounter&&) noexcept;
  WordCounter& operator=(WordCounter&&) noexcept;

  /// Adds one document; its text may go away after the call. A word never spans two documents.
  void add(std::string_view document);

  struct Count {
    std::string_view word;  // bytes, valid while the counter lives and is not added to
    uint64_t count;
  };

  /// All words so far, sorted by their bytes.
  [[nodiscard]] std::vector<Count> counts() const;

  [[nodiscard]] uint64_t bytes() const noexcept;  // of text added
  [[nodiscard]] SplitPattern pattern() const noexcept;
  [[nodiscard]] const std::vector<std::string>& special_tokens() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
