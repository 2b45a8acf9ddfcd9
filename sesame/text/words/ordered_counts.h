#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sesame/text/words/byte_arena.h"
#include "sesame/text/words/word_map.h"
#include "sesame/text/words/word_span.h"

namespace sesame {

/// Words and their counts by first occurrence. For one thread.
class OrderedCounts {
 public:
  void add(std::string_view word, uint64_t count) {
    if (word.empty()) return;
    uint64_t& place = places_[WordKey::of(word)];
    if (place == 0) {
      counts_.push_back({words_.keep(word), 0});
      place = counts_.size();
    }
    counts_[place - 1].count += count;
  }

  [[nodiscard]] const std::vector<WordCount>& counts() const noexcept { return counts_; }

 private:
  WordMap places_;  // in counts_, plus one
  std::vector<WordCount> counts_;
  ByteArena words_;
};

}  // namespace sesame
