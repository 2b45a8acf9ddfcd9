#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "sesame/text/bpe/pair_map.h"
#include "sesame/text/bpe/train/token_list.h"

namespace sesame {

/// Which of several equally frequent pairs is merged first.
enum class BpeTie : uint8_t {
  smallest_ids,     // Hugging Face's trainer, rustbpe: the smallest (left id, right id)
  greatest_bytes,   // subword-nmt and its descendants: the greatest (left bytes, right bytes)
  first_position,   // minbpe, tiktoken's educational trainer: what stands first in the corpus; the words must be given
                    // by first occurrence
  earliest_tokens,  // YouTokenToMe: the smallest greater id, then the smallest smaller id, then the greatest left id
  shortest_text,    // SentencePiece: the fewest characters, then the smallest text of both
};

/// A pair that waits to be merged.
struct QueuedPair {
  int64_t count;
  uint64_t pair;
  uint32_t where = 0;  // first_position: where it stands first; else the number of an additional list of positions
};

/// Orders pairs by count and by the rule for ties.
class PairOrder {
 public:
  PairOrder(BpeTie tie, const TokenList& tokens) : tie_(tie), tokens_(tokens) {}

  [[nodiscard]] BpeTie tie() const noexcept { return tie_; }

  /// Whether `a` is merged after `b`.
  [[nodiscard]] bool after(const QueuedPair& a, const QueuedPair& b) const {
    if (a.count != b.count) return a.count < b.count;
    switch (tie_) {
      case BpeTie::smallest_ids:
        return a.pair != b.pair ? a.pair > b.pair : a.where > b.where;
      case BpeTie::first_position:
        return a.where > b.where;
      case BpeTie::greatest_bytes:
        return greater_bytes(b.pair, a.pair);
      case BpeTie::earliest_tokens:
        return earlier_tokens(b.pair, a.pair);
      case BpeTie::shortest_text:
        return shorter_text(b.pair, a.pair);
    }
    return false;
  }

 private:
  [[nodiscard]] bool greater_bytes(uint64_t a, uint64_t b) const {
    const int left = tokens_.text(pair_left(a)).compare(tokens_.text(pair_left(b)));
    return left != 0 ? left > 0 : tokens_.text(pair_right(a)) > tokens_.text(pair_right(b));
  }

  [[nodiscard]] static bool earlier_tokens(uint64_t a, uint64_t b) {
    const auto [a_min, a_max] = std::minmax({pair_left(a), pair_right(a)});
    const auto [b_min, b_max] = std::minmax({pair_left(b), pair_right(b)});
    if (a_max != b_max) return a_max < b_max;
    if (a_min != b_min) return a_min < b_min;
    return pair_left(a) > pair_left(b);
  }

  [[nodiscard]] bool shorter_text(uint64_t a, uint64_t b) const {
    const uint32_t a_symbols = tokens_.symbols(pair_left(a)) + tokens_.symbols(pair_right(a));
    const uint32_t b_symbols = tokens_.symbols(pair_left(b)) + tokens_.symbols(pair_right(b));
    if (a_symbols != b_symbols) return a_symbols < b_symbols;
    const int text = (tokens_.text(pair_left(a)) + tokens_.text(pair_right(a)))
                         .compare(tokens_.text(pair_left(b)) + tokens_.text(pair_right(b)));
    return text != 0 ? text < 0 : a < b;
  }

  BpeTie tie_;
  const TokenList& tokens_;
};

}  // namespace sesame
