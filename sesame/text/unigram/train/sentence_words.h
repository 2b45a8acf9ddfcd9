#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/words/word_counts.h"

namespace sesame::unigram {

/// How normalized sentences become words, by spm_train's flags of these names.
struct WordRules {
  bool split_by_whitespace = true;
  bool treat_whitespace_as_suffix = false;
  bool allow_whitespace_only_pieces = false;
};

/// Calls f(word, rest) for the words of a normalized sentence, where `rest` is what comes behind the word.
void for_each_word(std::string_view sentence, const WordRules& rules,
                   FunctionRef<void(std::string_view word, std::string_view rest)> f);

/// Strings that are not learnt from: each becomes a tab, the longest where several begin.
class ReservedStrings {
 public:
  explicit ReservedStrings(std::vector<std::string> strings);
  /// `text` itself where none is in it, else its new form in `buffer`.
  std::string_view replace(std::string_view text, std::string& buffer) const;

 private:
  [[nodiscard]] size_t match(std::string_view text) const;
  std::vector<std::string> strings_;                     // by first byte, longest first
  std::array<std::pair<uint32_t, uint32_t>, 256> of_{};  // the range of those that begin with a byte
};

/// The normalized form of a line, which lives until the next call with the same buffer.
using LineNormalizer = std::function<std::string_view(std::string_view line, std::string& buffer)>;

/// Counts the words of a stream of sentences, and by which character each is followed: strings branch in the words
/// exactly where they branch in the sentences, so that whatever is asked about substrings that lie inside words can be
/// answered from the words alone.
class SentenceWords {
 public:
  struct Options {
    WordRules rules;
    LineNormalizer normalize;  // called from several threads
    std::vector<std::string> reserved;
    uint64_t memory_bytes = uint64_t{1} << 30;
    std::filesystem::path directory;
  };
  /// `threads` must outlive the object.
  SentenceWords(Options options, ThreadPool& threads);

  void add(std::string_view sentence);

  /// What follows a word where no character does: the end of the sentence.
  static constexpr uint32_t kEnd = 0;

  /// Calls emit(word, next character, count) for every pair of them, equal words one after another (but where white
  /// space alone may be a word). The same order whatever the threads. May be called again.
  void for_each(FunctionRef<void(std::string_view word, uint32_t next, uint64_t count)> emit);

  [[nodiscard]] uint64_t sentences() const noexcept { return sentences_; }

 private:
  struct Scratch {
    std::string normalized;
    std::string replaced;
    std::string key;
  };
  void count_batch();
  void count(std::string_view sentence, int thread);

  Options options_;
  ReservedStrings reserved_;
  ThreadPool& threads_;
  WordCounts counts_;
  std::vector<Scratch> scratch_;  // by thread
  std::string batch_;
  std::vector<uint32_t> ends_;  // of the sentences of the batch
  uint64_t sentences_ = 0;
};

}  // namespace sesame::unigram
