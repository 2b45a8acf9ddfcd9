#pragma once

#include <cstdint>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/text/unigram/train/training_text.h"

namespace sesame::unigram {

/// The suffixes of the entries of a text, each up to and with its entry's next letter, in the order of their first
/// `depth` letters.
struct SuffixArray {
  std::vector<uint32_t> positions;  // in letters
  std::vector<uint32_t> entries;    // that they lie in
  /// Letters that a suffix shares with the one before it, at most `depth`; of the first suffix 0. Equal suffixes share
  /// all of theirs.
  std::vector<uint16_t> shared;
};

/// Letters are compared eight bytes' worth at a time, packed to as few bits as the alphabet needs: a bucket pass over
/// the first bits, then each bucket on its own. `depth` in [1, 65535].
SuffixArray sort_suffixes(const TrainingText& text, uint32_t depth, ThreadPool& threads);

}  // namespace sesame::unigram
