#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Over how many pieces the tokens of one that is dropped spread in the formula of its loss (Kudo 2018, section 3.2).
enum class UnigramLoss : uint8_t {
  /// As many as there are in all, which SentencePiece's trainer had until 0.1.97, when the vocabularies in circulation
  /// were made, and Hugging Face's has: on our texts 0.1 to 2.6 % fewer tokens than the other, and as likely.
  all_pieces,
  /// Those that replace it, as was meant: SentencePiece from 0.1.99 on.
  replacing_pieces,
};

struct UnigramTrainerProgress {
  enum class Step : uint8_t { seeds, maximized, pruned, finished };
  Step step = Step::seeds;
  int64_t pieces = 0;      // left
  int32_t iteration = 0;   // from 1 on: rounds of EM and pruning
  double objective = 0.0;  // maximized: negative log-likelihood of a word before this step, nats
};

/// Names and defaults are those of spm_train's flags.
struct UnigramTrainerOptions {
  int32_t vocab_size = 8000;  // pieces in all, special ones included
  float character_coverage = 0.9995f;
  std::string required_chars;  // in the vocabulary, however rare
  bool byte_fallback = false;
  bool hard_vocab_limit = true;  // false: a smaller vocabulary is no error

  int32_t max_sentencepiece_length = 16;  // code points
  bool split_by_unicode_script = true;
  bool split_by_number = true;
  bool split_by_whitespace = true;
  bool split_digits = false;
  bool allow_whitespace_only_pieces = false;

  int64_t seed_sentencepiece_size = 1'000'000;
  float shrinking_factor = 0.75f;
  int32_t num_sub_iterations = 2;
  int64_t max_sentence_length = 4192;  // bytes; longer lines are left out
  UnigramLoss loss = UnigramLoss::all_pieces;

  std::vector<std::string> control_symbols;
  std::vector<std::string> user_defined_symbols;
  int32_t unk_id = 0;
  int32_t bos_id = 1;
  int32_t eos_id = 2;
  int32_t pad_id = -1;  // negative: none
  std::string unk_piece = "<unk>";
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
  std::string pad_piece = "<pad>";
  std::string unk_surface = " \xE2\x81\x87 ";

  /// The rule by its bytes (make_charsmap gives those of "nmt_nfkc", spm_train's default), add_dummy_prefix,
  /// remove_extra_whitespaces, treat_whitespace_as_suffix. White space must be escaped.
  normalizer::SentencePiece normalizer;

  int threads = 0;                           // as for ThreadPool
  uint64_t count_bytes = uint64_t{1} << 30;  // memory for counting words; beyond it counts go to temporary files
  std::string temporary_directory;           // for those; empty: the system's
  std::function<void(const UnigramTrainerProgress&)> progress;
  std::function<bool()> stop;  // asked now and then, from any thread: true ends the training with an Error
};

/// Trains a unigram language model of subwords by expectation maximisation and pruning (Kudo, "Subword regularization",
/// 2018), as SentencePiece's trainer does: the same pieces, but for those that its sums in single precision decide, and
/// the same scores to about 1e-3.
///
/// Contract:
/// 1. The result depends on the options and the sentences, not on the number of threads nor on the order of sentences.
/// 2. Memory grows with the distinct words (sentences, where words are not split by white space), not with the text:
///    about 40 bytes per character of theirs.
/// 3. One caller at a time.
class UnigramTrainer {
 public:
  /// Throws Error (usage) for options out of range or special pieces that contradict each other.
  explicit UnigramTrainer(UnigramTrainerOptions options);
  ~UnigramTrainer();
  UnigramTrainer(UnigramTrainer&&) noexcept;
  UnigramTrainer& operator=(UnigramTrainer&&) noexcept;

  /// Adds one sentence: a line without its end. Empty ones, those longer than max_sentence_length and those with
  /// SentencePiece's own mark U+2585 are left out.
  void add(std::string_view sentence);

  /// Adds every line of a text, which may end without a line break.
  void add_lines(std::string_view text);

  [[nodiscard]] uint64_t sentences() const noexcept;           // taken
  [[nodiscard]] uint64_t sentences_left_out() const noexcept;  // too long, or with U+2585

  /// A tokenizer with model::SentencePiece of type unigram. Throws Error where nothing was added, where the vocabulary
  /// is too small for the required characters or too large for the text (it says what is possible), and when stopped.
  [[nodiscard]] TokenizerSpec train();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sesame
