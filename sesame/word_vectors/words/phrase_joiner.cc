#include "sesame/word_vectors/words/phrase_joiner.h"

#include <utility>

namespace sesame {

uint32_t PhraseModel::Pass::number(std::string_view word) {
  uint64_t& number = numbers_[WordKey::of(word)];
  if (number == 0) number = numbers_.size();
  return static_cast<uint32_t>(number);
}

void PhraseModel::Pass::add(std::string_view first, std::string_view second, Phrase phrase) {
  const WordPair pair{number(first), number(second)};
  pairs_[WordKey::of(pair.bytes())] = 1;
  phrases_.push_back(std::move(phrase));
}

void PhraseJoiner::add(size_t index, std::string_view word, bool joined, Emit emit) {
  if (index == stages_.size()) {
    emit(word, joined);
    return;
  }
  Stage& stage = stages_[index];
  const PhraseModel::Pass& pass = *model_->passes()[index];
  const uint32_t number = pass.number_of(word);
  if (stage.number != 0 && number != 0 && pass.joins(stage.number, number)) {
    stage.word += model_->delimiter();
    stage.word += word;
    stage.number = 0;
    stage.joined = true;
    return;
  }
  if (!stage.word.empty()) add(index + 1, stage.word, stage.joined, emit);
  stage.word = word;
  stage.number = number;
  stage.joined = joined;
}

void PhraseJoiner::end_line(Emit emit) {
  for (size_t index = 0; index < stages_.size(); ++index) {
    Stage& stage = stages_[index];
    if (!stage.word.empty()) add(index + 1, stage.word, stage.joined, emit);
    stage = {};
  }
}

}  // namespace sesame
