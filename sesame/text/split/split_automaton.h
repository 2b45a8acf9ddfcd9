#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "sesame/text/split/split_expression.h"
#include "sesame/text/unicode/property_table.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

/// A regular expression as a deterministic automaton over classes of characters, with the matches of a backtracking
/// engine: the first choice that leads to a match, not the longest. Linear in the characters that it reads. A state is
/// the list of threads of a backtracking engine in their order of preference (R. Cox, "Regular Expression Matching: the
/// Virtual Machine Approach", 2009); matches are seen one character late, which is what a lookahead of one character
/// needs.
class SplitAutomaton {
 public:
  /// Nothing where parse_split_expression has none, where the expression matches the empty text, or where it needs too
  /// many states.
  static std::shared_ptr<const SplitAutomaton> compile(std::string_view regex, RegexSyntax syntax);

  struct Match {
    size_t begin;
    size_t end;
  };

  /// Where the match that begins at `begin` < text.size() ends, or `begin` where none does.
  [[nodiscard]] size_t match_end(std::string_view text, size_t begin) const noexcept;

  /// The first match at or behind `begin`; begin == end == text.size() where there is none.
  [[nodiscard]] Match find(std::string_view text, size_t begin) const noexcept;

  /// What is known of the place between two characters by themselves, whatever stands around them.
  enum class Place : uint8_t {
    unknown,
    boundary,  // a match ends there and the next begins; a text that is cut there has the same matches
    outside,   // no match reaches it or begins there, nor sees it
  };
  /// `position` is in (0, text.size()).
  [[nodiscard]] Place place_at(std::string_view text, size_t position) const noexcept;

  /// Whether both find the same matches in every text.
  [[nodiscard]] bool equivalent(const SplitAutomaton& other) const;

 private:
  struct Builder;
  SplitAutomaton() = default;

  /// The next state << 1, and 1 where a match ends before the character that was read.
  using Step = uint32_t;
  static constexpr uint32_t dead = 0;
  static constexpr uint32_t start = 1;

  struct Char {
    uint32_t char_class;
    uint32_t length;
  };
  [[nodiscard]] Char read(std::string_view text, size_t position) const noexcept {
    const auto byte = static_cast<uint8_t>(text[position]);
    if (byte < 0x80) return {ascii_[byte], 1};
    const Utf8Char c = decode_utf8(text, position);
    return {c.valid ? classes_.of(c.code) : not_utf8_class_, c.length};
  }
  [[nodiscard]] Step step(uint32_t state, uint32_t char_class) const noexcept {
    return steps_[state * class_count_ + char_class];
  }
  /// What follows from classes_ and steps_.
  void find_places();
  void make_byte_tables();

  PropertyTable classes_;
  uint8_t ascii_[128] = {};
  uint8_t not_utf8_class_ = 0;
  uint32_t class_count_ = 0;       // with the end of the text, which is the last
  std::vector<Step> steps_;        // [state, class]
  std::vector<Step> ascii_steps_;  // [state, ASCII byte]
  bool begins_nothing_[256] = {};  // [byte]: no match begins at it, nor inside a character that it begins
  std::vector<Place> places_;      // [class, class]
};

}  // namespace sesame
