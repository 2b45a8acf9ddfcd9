#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "sesame/text/split/split_pattern.h"

namespace sesame {

/// Cuts text into the pieces of a Split with behavior Isolated: the matches of a pattern, and what lies between them.
/// The pieces cover the text. Bytes that are not UTF-8 are characters that are neither letter, number nor space.
/// Immutable, for any number of threads.
class Splitter {
 public:
  /// The scanner of a well-known pattern.
  static std::shared_ptr<const Splitter> known(SplitPattern pattern);

  /// A splitter for any expression (Oniguruma's and PCRE2's syntax): the scanner where it is a well-known one, else an
  /// automaton, else PCRE2. Throws Error, beginning with `origin`, for what is no regular expression.
  static std::shared_ptr<const Splitter> compile(std::string_view regex, std::string_view origin);

  virtual ~Splitter() = default;

  /// Writes where pieces end, as distances from `begin`, in order, until `ends` is full or the text is at its end.
  /// Returns how many. `begin` is a piece boundary: 0, or where a piece ended. Throws Error for a piece of 4 GiB.
  [[nodiscard]] virtual size_t find_ends(std::string_view text, size_t begin, std::span<uint32_t> ends) const = 0;

  /// The first place p in [from, text.size()), from >= 1, that is a piece boundary whatever stands before and behind
  /// the text, and such that text[0, p) and text[p, ...) by themselves are cut as the whole is; text.size() where there
  /// is none (or none is known for this pattern).
  [[nodiscard]] virtual size_t next_cut(std::string_view text, size_t from) const = 0;
};

}  // namespace sesame
