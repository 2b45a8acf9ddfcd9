#include "sesame/word_vectors/train/compat_reader.h"

namespace sesame {
namespace {

constexpr std::string_view kEndOfSentence = "</s>";

bool ends_word(char c) { return c == ' ' || c == '\t' || c == '\n'; }

}  // namespace

bool CompatReader::next(std::string_view& word) {
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  if (at_ < text_.size() && text_[at_] == '\n') {
    ++at_;
    word = kEndOfSentence;
    return true;
  }
  size_t end = at_;
  while (end < text_.size() && !ends_word(text_[end]) && text_[end] != '\r') ++end;
  if (end == text_.size() || text_[end] == '\r' || end - at_ > kMostBytes) return next_unusual(word);
  word = text_.substr(at_, end - at_);
  at_ = end;
  return true;
}

bool CompatReader::next_unusual(std::string_view& word) {
  word_.clear();
  while (at_ < text_.size() && !ends_word(text_[at_])) {
    if (text_[at_] != '\r' && word_.size() < kMostBytes) word_ += text_[at_];
    ++at_;
  }
  word = word_;
  return at_ < text_.size();
}

}  // namespace sesame
