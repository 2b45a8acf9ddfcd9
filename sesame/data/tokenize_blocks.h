#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/corpus/document_reader.h"
#include "sesame/data/prepare.h"

namespace sesame {

/// A run of document pieces and their tokens: the unit of work of one thread.
struct TextBlock {
  struct Piece {
    size_t text_end = 0;
    size_t ids_end = 0;  // once tokenised
    bool ends_document = false;
  };

  std::string text;
  std::vector<Piece> pieces;
  std::vector<int32_t> ids;
};

/// Reads a corpus in groups of blocks and tokenises each group on all threads. What is in which block depends on the
/// corpus alone.
class BlockTokenizer {
 public:
  BlockTokenizer(DocumentReader& reader, const Tokenize& tokenize, ThreadPool& pool)
      : reader_(reader), tokenize_(tokenize), pool_(pool) {}

  /// The next group in order, valid until the next call; empty at the end of the corpus.
  std::span<const TextBlock> next();

 private:
  size_t read_group();

  DocumentReader& reader_;
  const Tokenize& tokenize_;
  ThreadPool& pool_;
  std::vector<TextBlock> blocks_;
};

}  // namespace sesame
