#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {

/// How BPE over characters is trained. Names and rules are those of Hugging Face's BpeTrainer.
struct CharacterBpeOptions {
  int32_t vocabulary_size = 30000;  // of all tokens
  int64_t min_frequency = 0;        // a pair seen less often is not merged
  BpeTie tie = BpeTie::smallest_ids;
  std::vector<std::string> special_tokens = {};
  std::vector<uint32_t> initial_alphabet = {};  // code points, in the vocabulary whether they occur or not
  std::optional<uint64_t> limit_alphabet = {};  // of equally frequent characters the smallest ones are kept
  double character_coverage = 1.0;              // share of the text that the characters must reach, as in
                                                // SentencePiece and YouTokenToMe
  bool alphabet_by_frequency = false;  // ids of characters as YouTokenToMe gives them, the greater of equal ones first
  std::string continuing_subword_prefix = {};
  std::string end_of_word_suffix = {};
  std::optional<uint64_t> max_token_length = {};  // tokens have fewer characters, but for those of two
  bool byte_fallback = false;                     // 256 byte tokens behind the special ones
  int threads = 0;                                // as for ThreadPool; they do not change the result
  std::function<void(const BpeTrainerProgress&)> progress = {};
};

/// Learns BPE over the characters of counted words. Ids: special tokens, bytes, characters, merges in order. The result
/// depends on the words and counts alone (and with BpeTie::first_position on their order). Throws Error where the
/// special tokens and the alphabet do not fit into the vocabulary, or nothing was counted.
TrainedBpe learn_character_bpe(std::span<const WordCount> words, const CharacterBpeOptions& options);

/// The same as a pipeline: `stages` has the normalizers, pre-tokenizers, post-processors and decoders; model,
/// vocabulary and added tokens are made here. With byte fallback unknown characters become bytes; else `unk_token`, if
/// it is among the special tokens.
TokenizerSpec train_character_bpe(std::span<const WordCount> words, TokenizerSpec stages,
                                  const CharacterBpeOptions& options, const std::string& unk_token = "<unk>");

/// Gives a spec its vocabulary, each text by its first id, and its special tokens, which are in it.
void add_tokens(const std::vector<std::string>& tokens, const std::vector<std::string>& special_tokens,
                TokenizerSpec& spec);

}  // namespace sesame
