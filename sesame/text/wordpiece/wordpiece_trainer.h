#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/words/word_counter.h"

namespace sesame {

struct WordPieceTrainerOptions {
  int32_t vocabulary_size = 30522;  // of all tokens
  int64_t min_frequency = 2;        // a pair seen less often is not merged
  /// The first ids; unk_token, cls_token and sep_token must be among them.
  std::vector<std::string> special_tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  std::string unk_token = "[UNK]";
  std::string cls_token = "[CLS]";
  std::string sep_token = "[SEP]";
  std::vector<uint32_t> initial_alphabet = {};    // code points, in the vocabulary whether they occur or not
  std::optional<uint64_t> limit_alphabet = 1000;  // of equally frequent characters the smallest ones are kept
  std::string continuing_subword_prefix = "##";
  normalizer::Bert normalizer = {};
  uint64_t max_input_chars_per_word = 100;
  int threads = 0;  // as for ThreadPool; they do not change the result
  std::function<void(const BpeTrainerProgress&)> progress = {};
};

/// The stages of BERT that come before the model: for words_of_pipeline, and what train_wordpiece gives back.
TokenizerSpec bert_stages(const WordPieceTrainerOptions& options);

/// Trains a WordPiece vocabulary as Hugging Face's WordPieceTrainer does, by the merges of BPE over characters with a
/// prefix, on words that bert_stages made. Ids: special tokens, characters by code point, prefixed characters by first
/// occurrence in the sorted words (where Hugging Face's order depends on chance, and with it ties), merges in order.
/// Returns BERT's pipeline. Throws Error as learn_character_bpe.
TokenizerSpec train_wordpiece(std::span<const WordCount> words, const WordPieceTrainerOptions& options);

}  // namespace sesame
