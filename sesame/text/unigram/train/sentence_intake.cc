#include "sesame/text/unigram/train/sentence_intake.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "sesame/base/error.h"

namespace sesame::unigram {

SentenceIntake::SentenceIntake(UnigramTrainerOptions options)
    : options_((check_options(options), std::move(options))),
      special_(special_pieces(options_)),
      normalizer_(options_.normalizer, {}, "the trainer's normalizer"),
      threads_(options_.threads),
      words_(count_options(), threads_) {}

SentenceWords::Options SentenceIntake::count_options() const {
  SentenceWords::Options result;
  result.rules = {options_.split_by_whitespace, options_.normalizer.treat_whitespace_as_suffix,
                  options_.allow_whitespace_only_pieces};
  result.normalize = [this](std::string_view line, std::string& buffer) -> std::string_view {
    buffer = normalizer_.apply(line);
    return buffer;
  };
  for (const auto& [id, piece] : special_) result.reserved.push_back(piece.piece);
  result.memory_bytes = options_.count_bytes;
  result.directory = options_.temporary_directory;
  return result;
}

void SentenceIntake::add(std::string_view sentence) {
  constexpr std::string_view kUnknownMark = "\xE2\x96\x85";
  if (sentence.empty()) return;
  if (sentence.size() > static_cast<uint64_t>(options_.max_sentence_length) ||
      sentence.find(kUnknownMark) != std::string_view::npos) {
    ++left_out_;
    return;
  }
  words_.add(sentence);
}

void SentenceIntake::add_lines(std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void SentenceIntake::check_any(bool any_words) const {
  if (any_words) return;
  fail(fmt::format(
      "there is nothing to train on: {} sentences were added, {} were left out because they are longer than "
      "max_sentence_length {} or contain U+2585",
      sentences(), left_out_, options_.max_sentence_length));
}

void SentenceIntake::check_fits(size_t required) const {
  if (required + special_.size() <= static_cast<size_t>(options_.vocab_size)) return;
  fail_usage(
      fmt::format("vocab_size {} is too small for {} required characters and {} special pieces: raise it to {} or "
                  "more, or lower character_coverage",
                  options_.vocab_size, required, special_.size(), required + special_.size()));
}

void SentenceIntake::check_stop() const {
  if (options_.stop && options_.stop()) fail("the training of the tokenizer was stopped");
}

PieceRules SentenceIntake::piece_rules() const {
  return {options_.max_sentencepiece_length,
          options_.split_by_unicode_script,
          options_.split_by_number,
          options_.split_by_whitespace,
          options_.split_digits,
          options_.normalizer.treat_whitespace_as_suffix,
          options_.allow_whitespace_only_pieces};
}

}  // namespace sesame::unigram
