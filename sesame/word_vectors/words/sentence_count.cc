#include "sesame/word_vectors/words/sentence_count.h"

namespace sesame {

void SentenceCount::Block::add(std::span<const WordSpan> words) noexcept {
  if (words.empty()) return;
  if (ends == 0) begins_with_words |= words.front().size != 0;
  for (const WordSpan& word : words) ends += word.size == 0 ? 1 : 0;
  words_at_end = words.back().size != 0;
}

void SentenceCount::add(int64_t index, const Block& block) {
  const std::lock_guard lock(mutex_);
  const auto i = static_cast<size_t>(index);
  if (blocks_.size() <= i) blocks_.resize(i + 1);
  blocks_[i] = block;
}

uint64_t SentenceCount::total() const {
  uint64_t sentences = 0;
  bool open = false;
  for (const Block& block : blocks_) {
    if (block.ends == 0) {
      open |= block.words_at_end;
      continue;
    }
    sentences += block.ends - 1 + (open || block.begins_with_words ? 1 : 0);
    open = block.words_at_end;
  }
  return sentences + (open ? 1 : 0);
}

}  // namespace sesame
