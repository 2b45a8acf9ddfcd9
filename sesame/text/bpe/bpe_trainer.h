#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sesame/text/tokenizer.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {

/// Which of several equally frequent pairs is merged first.
enum class BpeTie : uint8_t {
  smallest_ids,    // Hugging Face's trainer: the smallest (left id, right id)
  greatest_bytes,  // subword-nmt and its descendants: the greatest (left bytes, right bytes)
};

struct BpeTrainerProgress {
  int32_t vocabulary = 0;  // tokens so far
  int32_t target = 0;
  int64_t pair_count = 0;  // occurrences of the pair merged last
};

struct BpeTrainerOptions {
  int32_t vocabulary_size = 32000;  // special tokens and the 256 bytes included
  int64_t min_frequency = 2;        // a pair seen less often is not merged
  BpeTie tie = BpeTie::smallest_ids;
  std::function<void(const BpeTrainerProgress&)> progress;  // called after every 256 merges and at the end
};

/// Trains byte-level BPE (Sennrich et al., "Neural machine translation of rare words with subword units", 2016; over
/// bytes as in GPT-2) on counted words. Ids: the counter's special tokens, the 256 bytes by the code point that stands
/// for them, merges in order. Stops early, with a smaller vocabulary, when no pair is frequent enough. The result
/// depends on the counts alone. Throws Error when the vocabulary cannot hold the special tokens and the bytes, or
/// nothing was counted.
Tokenizer train_byte_level_bpe(const WordCounter& words, const BpeTrainerOptions& options);

}  // namespace sesame
