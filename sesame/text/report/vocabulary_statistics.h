#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sesame/text/tokenizer.h"

namespace sesame {

/// What a vocabulary is made of.
struct VocabularyStatistics {
  int32_t ids = 0;     // the largest id, plus one
  int32_t tokens = 0;  // ids that are in use
  int32_t special = 0;
  int32_t added = 0;        // special ones included
  int32_t word_starts = 0;  // begin with a space, or what stands for one; of WordPiece, those without its prefix
  int32_t not_text = 0;     // bytes that are no UTF-8 by themselves
  double mean_bytes = 0;
  std::vector<int32_t> by_length;  // by bytes: [i] have i; the last one holds all that are longer
  std::vector<std::pair<std::string, int32_t>>
      by_script;                 // of most letters, by falling number; "none": without letters
  std::vector<int32_t> longest;  // ids of the longest tokens
};

VocabularyStatistics vocabulary_statistics(const Tokenizer& tokenizer);

}  // namespace sesame
