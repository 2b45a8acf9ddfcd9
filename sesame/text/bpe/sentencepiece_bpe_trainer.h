#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "sesame/text/bpe/bpe_trainer.h"
#include "sesame/text/tokenizer_spec.h"
#include "sesame/text/unigram/train/unigram_trainer.h"

namespace sesame {

/// Trains BPE as SentencePiece's trainer does (spm_train --model_type=bpe): over the characters of normalized words;
/// ties by the fewest characters, then by the smallest text; pieces by SentencePiece's rules; a text that a second pair
/// makes is left out; behind the merges the required characters, and scores that fall by 1. SentencePiece looks for its
/// next merge among the 5 % most frequent pairs of every hundredth step (1000 at least) and the newer ones only; here
/// it is looked for among all, which is the same unless a hundred merges use those up.
///
/// Contract as UnigramTrainer. Of its options those count that concern the vocabulary, its special pieces, the
/// sentences and which strings may be pieces.
class SentencePieceBpeTrainer {
 public:
  /// Throws Error (usage) for options out of range or special pieces that contradict each other.
  explicit SentencePieceBpeTrainer(UnigramTrainerOptions options,
                                   std::function<void(const BpeTrainerProgress&)> progress = {});
  ~SentencePieceBpeTrainer();
  SentencePieceBpeTrainer(SentencePieceBpeTrainer&&) noexcept;
  SentencePieceBpeTrainer& operator=(SentencePieceBpeTrainer&&) noexcept;

  /// Adds one sentence: a line without its end. Empty ones, those longer than max_sentence_length and those with
  /// SentencePiece's own mark U+2585 are left out.
  void add(std::string_view sentence);

  /// Adds every line of a text, which may end without a line break.
  void add_lines(std::string_view text);

  [[nodiscard]] uint64_t sentences() const noexcept;           // taken
  [[nodiscard]] uint64_t sentences_left_out() const noexcept;  // too long, or with U+2585

  /// A tokenizer with model::SentencePiece of type BPE. Throws Error where nothing was added, and where the vocabulary
  /// is too small for the required characters or too large for the text.
  [[nodiscard]] TokenizerSpec train();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
