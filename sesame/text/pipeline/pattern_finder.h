#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sesame/base/function_ref.h"
#include "sesame/text/split/regex.h"
#include "sesame/text/split/split_automaton.h"
#include "sesame/text/tokenizer_spec.h"

namespace sesame {

/// A Pattern ready to be found in text.
class PatternFinder {
 public:
  PatternFinder(const Pattern& pattern, std::string_view origin);

  /// Calls `visit` for every match from left to right, as Hugging Face's library finds them: an empty match does not
  /// follow a match at the same place, an empty pattern matches before every character and at the end, and in an empty
  /// text nothing matches.
  void for_each_match(std::string_view text, FunctionRef<void(size_t begin, size_t end)> visit) const;

 private:
  std::string literal_;
  std::shared_ptr<const SplitAutomaton> automaton_;  // of an expression, if it has one
  std::optional<Regex> regex_;                       // else
};

}  // namespace sesame
