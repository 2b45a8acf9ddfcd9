#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "sesame/text/split/code_point_set.h"

namespace sesame {

/// Where regular expressions differ: Oniguruma's Ruby syntax (tokenizer.json) reads `X{1,3}+` as `(?:X{1,3})+` and `$`
/// as the end of a line; Rust's fancy-regex (tiktoken) as possessive and as the end of the text.
enum class RegexSyntax : uint8_t { oniguruma, rust };

/// A regular expression as a tree, as far as an automaton that sees one character ahead can run it.
struct SplitExpression {
  enum class Kind : uint8_t {
    set,        // one character
    sequence,   // the children one after the other
    choice,     // the first child that leads to a match
    repeat,     // the child `least` to `most` times
    lookahead,  // nothing, where the next character is in `set`, or the end of the text where `or_end`
  };
  static constexpr uint32_t unlimited = UINT32_MAX;

  Kind kind = Kind::sequence;
  CodePointSet set;
  std::vector<SplitExpression> children;
  uint32_t least = 0;
  uint32_t most = 0;
  bool lazy = false;
  bool or_end = false;

  /// Whether it matches the empty text somewhere.
  [[nodiscard]] bool nullable() const;
};

/// Nothing for what has another meaning than these trees can say (references, look-behind, word boundaries, atomic
/// groups of more than one character ...), and for what is no regular expression at all.
std::optional<SplitExpression> parse_split_expression(std::string_view regex, RegexSyntax syntax);

}  // namespace sesame
