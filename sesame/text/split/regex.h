#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "sesame/base/function_ref.h"

namespace sesame {

/// A regular expression of a tokenizer.json for which there is no automaton, run by PCRE2 with Unicode properties; ^
/// and $ are the ends of lines, as in Oniguruma's Ruby syntax. Bytes that are not UTF-8 match nothing. Matching is safe
/// from any number of threads.
class Regex {
 public:
  /// Throws Error naming `origin` and PCRE2's reason.
  Regex(std::string_view pattern, std::string_view origin);

  /// Calls `visit` for every match from left to right. Throws Error when the pattern needs more than its limits of
  /// steps and memory on this text.
  void for_each_match(std::string_view text, FunctionRef<void(size_t begin, size_t end)> visit) const;

  /// The same from `begin` on, until `visit` returns false. What stands before `begin` is seen by look-behinds.
  void for_each_match_from(std::string_view text, size_t begin,
                           FunctionRef<bool(size_t begin, size_t end)> visit) const;

 private:
  struct Code;
  std::shared_ptr<const Code> code_;
  std::string pattern_;
};

}  // namespace sesame
