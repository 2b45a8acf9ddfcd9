#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/words/word_span.h"

namespace sesame {

/// Words and how often each occurs, in the order of their ids: falling counts, words of equal count by their bytes.
/// Immutable; every member may be called from any number of threads.
class Vocabulary {
 public:
  using Entry = WordCount;

  Vocabulary() = default;
  /// Sorts the entries, whose words it copies. `end_of_sentence`: "</s>" is entry 0 whatever its count, as in
  /// word2vec.c; it is added with count 0 if it is missing. Throws Error for a word that is there twice or empty.
  explicit Vocabulary(std::vector<Entry> entries, bool end_of_sentence = false);
  /// Keeps the order that the entries have: for files that lie in another one.
  static Vocabulary in_order(const std::vector<Entry>& entries);

  [[nodiscard]] int32_t size() const noexcept { return static_cast<int32_t>(counts_.size()); }
  [[nodiscard]] std::string_view word(int32_t id) const noexcept;
  [[nodiscard]] uint64_t count(int32_t id) const noexcept { return counts_[static_cast<size_t>(id)]; }
  [[nodiscard]] const std::vector<uint64_t>& counts() const noexcept { return counts_; }
  /// The id of a word, or -1.
  [[nodiscard]] int32_t find(std::string_view word) const noexcept;
  /// The sum of the counts: the words of one epoch, what is below min-count left out.
  [[nodiscard]] uint64_t total() const noexcept { return total_; }

 private:
  void index();

  std::string bytes_;              // all words, one behind the other
  std::vector<uint64_t> offsets_;  // size() + 1, into bytes_
  std::vector<uint64_t> counts_;
  std::vector<uint64_t> slots_;  // open addressing: upper bits of the hash, and id + 1
  uint64_t total_ = 0;
};

/// Lines "word count", what word2vec.c's -save-vocab writes and -read-vocab reads; atomically. read keeps the order of
/// the file. Throws Error that names file and line for a line of another form, a word that is there twice, no word.
void write_vocabulary(const std::filesystem::path& path, const Vocabulary& vocabulary);
Vocabulary read_vocabulary(const std::filesystem::path& path);

}  // namespace sesame
