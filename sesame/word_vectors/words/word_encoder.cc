#include "sesame/word_vectors/words/word_encoder.h"

#include <algorithm>
#include <array>

namespace sesame {

WordEncoder::WordEncoder(const Vocabulary& vocabulary) : ids_(static_cast<size_t>(vocabulary.size())) {
  for (int32_t id = 0; id < vocabulary.size(); ++id) {
    ids_[WordKey::of(vocabulary.word(id))] = static_cast<uint64_t>(id) + 1;
  }
}

void WordEncoder::encode(std::string_view text, std::span<const WordSpan> words, int32_t end,
                         std::vector<int32_t>& ids) const {
  constexpr size_t kAhead = 64;
  std::array<WordKey, kAhead> keys;
  while (!words.empty()) {
    const std::span<const WordSpan> some = words.first(std::min(kAhead, words.size()));
    words = words.subspan(some.size());
    for (size_t i = 0; i < some.size(); ++i) {
      keys[i] = WordKey::in_text(text, some[i].begin, some[i].size);
      ids_.prefetch(keys[i]);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      if (some[i].size > 0) {
        const WordMap::Entry* const entry = ids_.find(keys[i]);
        if (entry->size > 0) ids.push_back(static_cast<int32_t>(entry->value - 1));
      } else if (ids.empty() || ids.back() != end) {
        ids.push_back(end);
      }
    }
  }
}

}  // namespace sesame
