#pragma once

#include <cstdint>
#include <map>
#include <string_view>

#include "sesame/base/thread_pool.h"
#include "sesame/text/sentencepiece/text_normalizer.h"
#include "sesame/text/unigram/train/piece_rules.h"
#include "sesame/text/unigram/train/sentence_words.h"
#include "sesame/text/unigram/train/special_pieces.h"
#include "sesame/text/unigram/train/unigram_trainer.h"

namespace sesame::unigram {

/// What SentencePiece's trainers begin with: options that were checked, and the words of the sentences that they take.
class SentenceIntake {
 public:
  /// Throws Error (usage) for options out of their range.
  explicit SentenceIntake(UnigramTrainerOptions options);

  /// As spm_train does, leaves out sentences that are longer than max_sentence_length or contain U+2585.
  void add(std::string_view sentence);
  void add_lines(std::string_view text);

  [[nodiscard]] uint64_t sentences() const noexcept { return words_.sentences(); }
  [[nodiscard]] uint64_t left_out() const noexcept { return left_out_; }

  /// Throws Error where there are no words at all.
  void check_any(bool any_words) const;
  /// Throws Error (usage) where the vocabulary has no room for so many required characters.
  void check_fits(size_t required) const;
  /// Throws Error where the options say that training should stop.
  void check_stop() const;

  [[nodiscard]] PieceRules piece_rules() const;

  [[nodiscard]] const UnigramTrainerOptions& options() const noexcept { return options_; }
  [[nodiscard]] const std::map<int32_t, SpecialPiece>& special() const noexcept { return special_; }
  [[nodiscard]] ThreadPool& threads() noexcept { return threads_; }
  [[nodiscard]] SentenceWords& words() noexcept { return words_; }

 private:
  [[nodiscard]] SentenceWords::Options count_options() const;

  UnigramTrainerOptions options_;
  std::map<int32_t, SpecialPiece> special_;
  SentencePieceNormalizer normalizer_;
  ThreadPool threads_;
  SentenceWords words_;
  uint64_t left_out_ = 0;
};

}  // namespace sesame::unigram
