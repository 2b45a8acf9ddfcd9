#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

/// Words and rows as a reader finds them, one block of rows after the other. The first of several rows of one word
/// stays, the others are counted.
class VectorCollector {
 public:
  /// Room is made for `expected` rows at once, which take no memory until they are written to, and for finding their
  /// words (16 to 32 bytes each); more may come.
  VectorCollector(int64_t dim, int64_t expected);

  /// Room for a block of rows, [0, rows), which may be filled from several threads. Forgets what is left of the last
  /// block.
  void start_block(int64_t rows);
  [[nodiscard]] float* block_row(int64_t i) noexcept { return table_.row(block_ + i); }
  /// Takes row `i` of the block as that of `word`; the rows of a block by rising i. False where the word has a row.
  bool keep(std::string_view word, int64_t i);

  [[nodiscard]] int64_t size() const noexcept { return static_cast<int64_t>(ends_.size()); }
  [[nodiscard]] int64_t dim() const noexcept { return table_.dim; }
  [[nodiscard]] int64_t duplicates() const noexcept { return duplicates_; }

  /// What was kept, with counts of 0.
  [[nodiscard]] WordVectors finish() &&;

 private:
  [[nodiscard]] std::string_view word(size_t i) const noexcept;
  bool add(std::string_view word);
  void grow_slots();

  RowTable table_;
  int64_t block_ = 0;
  int64_t duplicates_ = 0;
  std::string bytes_;            // all words, one behind the other
  std::vector<uint64_t> ends_;   // of each word in bytes_
  std::vector<uint64_t> slots_;  // open addressing: upper bits of the hash, and index + 1
};

}  // namespace sesame
