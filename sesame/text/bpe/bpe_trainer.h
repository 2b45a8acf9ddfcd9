#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sesame/text/bpe/train/pair_order.h"
#include "sesame/text/tokenizer.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {

struct BpeTrainerProgress {
  int32_t vocabulary = 0;  // tokens so far
  int32_t target = 0;
  int64_t pair_count = 0;     // occurrences of the pair merged last
  uint64_t memory_bytes = 0;  // of the trainer, the counted words apart
};

/// The order of ids.
enum class BpeIds : uint8_t {
  hugging_face,  // special tokens, bytes by the code point that stands for them, merges
  tiktoken,      // bytes by value, merges, special tokens
};

struct BpeTrainerOptions {
  int32_t vocabulary_size = 32000;  // special tokens and the 256 bytes included
  int64_t min_frequency = 2;        // a pair seen less often is not merged
  BpeTie tie = BpeTie::smallest_ids;
  BpeIds ids = BpeIds::hugging_face;
  /// Whether a token that a second pair makes too keeps its id (Hugging Face, subword-nmt); else that pair gets an id
  /// of its own (rustbpe, minbpe), which the tokenizer leaves out again, so that the vocabulary has a hole.
  bool one_id_per_token = true;
  /// Tokens have fewer symbols than this, but for those of two; none: any number. As in Hugging Face's trainer.
  std::optional<uint64_t> max_token_length = {};
  int threads = 0;                                               // as for ThreadPool; they do not change the result
  std::function<void(const BpeTrainerProgress&)> progress = {};  // called after every 256 merges and at the end
};

/// Trains byte-level BPE (Sennrich et al., "Neural machine translation of rare words with subword units", 2016; over
/// bytes as in GPT-2) on counted words. Stops early, with a smaller vocabulary, when no pair is frequent enough. The
/// result depends on the counts alone (and, with BpeTie::first_position, on the order of the words). What `progress`
/// throws passes through. Throws Error when the vocabulary cannot hold the special tokens and the bytes, or nothing
/// was counted.
///
/// The options of known trainers: Hugging Face's BpeTrainer {} (with the byte-level alphabet, min_frequency 0);
/// rustbpe {min_frequency 1, ids tiktoken, one_id_per_token false}; minbpe and tiktoken's _educational the same with
/// tie first_position; subword-nmt's rule on bytes, as in Stanford CS336, tie greatest_bytes.
Tokenizer train_byte_level_bpe(const WordCounter& words, const BpeTrainerOptions& options);

/// What a trainer has learned, before it becomes a tokenizer.
struct TrainedBpe {
  std::vector<std::string> tokens;  // by id; bytes, special tokens as they are written
  std::vector<model::Merge> merges;
};

/// The same on words that somebody else has counted.
TrainedBpe learn_byte_level_bpe(std::span<const WordCount> words, const std::vector<std::string>& special_tokens,
                                const BpeTrainerOptions& options);

}  // namespace sesame
