#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// Where a text is matched and where it is not, and the pieces that a split behavior makes of that, as Hugging Face's
/// library does. Stretches are contiguous; empty matches count as matches.
class MatchedText {
 public:
  /// Matches come from left to right and do not overlap.
  void add_match(size_t begin, size_t end) {
    if (begin > done_) stretches_.push_back({done_, begin, false});
    stretches_.push_back({begin, end, true});
    done_ = end;
  }
  void finish(size_t size) {
    if (size > done_) stretches_.push_back({done_, size, false});
    done_ = size;
  }
  void invert() {
    for (Stretch& s : stretches_) s.match = !s.match;
  }

  /// Calls emit(begin, end) for the pieces that are not empty.
  template <typename Emit>
  void emit(pre_tokenizer::Behavior behavior, Emit emit) const {
    for (const auto& [begin, end, match] : joined(behavior)) {
      if (end > begin) emit(begin, end);
    }
  }

 private:
  struct Stretch {
    size_t begin;
    size_t end;
    bool match;
  };

  [[nodiscard]] std::vector<Stretch> joined(pre_tokenizer::Behavior behavior) const {
    using pre_tokenizer::Behavior;
    std::vector<Stretch> pieces;
    bool last_match = false;
    if (behavior == Behavior::merged_with_next) {
      for (auto s = stretches_.rbegin(); s != stretches_.rend(); ++s) {
        if (s->match && !last_match && !pieces.empty()) {
          pieces.back().begin = s->begin;
        } else {
          pieces.push_back(*s);
        }
        last_match = s->match;
      }
      std::reverse(pieces.begin(), pieces.end());
      return pieces;
    }
    for (const Stretch& s : stretches_) {
      const bool joins = (behavior == Behavior::merged_with_previous && s.match && !last_match) ||
                         (behavior == Behavior::contiguous && s.match == last_match);
      if (joins && !pieces.empty()) {
        pieces.back().end = s.end;
      } else if (behavior != Behavior::removed || !s.match) {
        pieces.push_back(s);
      }
      last_match = s.match;
    }
    return pieces;
  }

  std::vector<Stretch> stretches_;
  size_t done_ = 0;
};

}  // namespace sesame
