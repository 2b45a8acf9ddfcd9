#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/function_ref.h"
#include "sesame/base/thread_pool.h"
#include "sesame/text/words/sorted_runs.h"
#include "sesame/text/words/word_map.h"

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

/// Strings that are not learnt from: each becomes a tab, longest match first.
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

/// Writes the normalized form of a line to `out`.
using LineNormalizer = std::function<void(std::string_view line, std::string& out)>;

/// Counts the words of a stream of sentences, and by which character each is followed: two strings of characters branch
/// in the words exactly where they branch in the sentences, so that whatever is asked about substrings that lie inside
/// words can be answered from the words alone.
class WordCounts {
 public:
  struct Options {
    WordRules rules;
    LineNormalizer normalize;  // called from several threads
    std::vector<std::string> reserved;
    uint64_t memory_bytes = uint64_t{1} << 30;
    std::filesystem::path directory;
  };
  /// `threads` must outlive the counts.
  WordCounts(Options options, ThreadPool& threads);

  void add(std::string_view sentence);

  /// What follows a word where no character does: the end of the sentence.
  static constexpr uint32_t kEnd = 0;

  /// Calls emit(word, next character, count) for every pair of them, equal words one after another (but where white
  /// space alone may be a word). The same order whatever the threads. May be called again.
  void for_each(FunctionRef<void(std::string_view word, uint32_t next, uint64_t count)> emit);

  [[nodiscard]] uint64_t sentences() const noexcept { return sentences_; }

 private:
  struct Scratch {
    WordMap counts;
    std::string normalized;
    std::string replaced;
    std::string key;
  };
  void count_batch();
  void count(std::string_view sentence, Scratch& scratch) const;
  void gather();

  Options options_;
  ReservedStrings reserved_;
  ThreadPool& threads_;
  std::vector<Scratch> scratch_;  // by thread
  SortedRuns runs_;
  std::string batch_;
  std::vector<uint32_t> ends_;                                 // of the sentences of the batch
  std::vector<std::pair<std::string_view, uint64_t>> sorted_;  // where nothing was written to runs_
  uint64_t sentences_ = 0;
};

}  // namespace sesame::unigram
