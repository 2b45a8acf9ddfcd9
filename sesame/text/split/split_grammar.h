#pragma once

#include <cstdint>

namespace sesame {

/// What the published split patterns have in common, and where they differ. All of them cut text into runs of letters,
/// of numbers, of white space and of the rest ("others"), with these additions:
/// - the last character of white space before something else is not part of the run before it (`\s+(?!\S)`); a blank
///   goes with what follows;
/// - contractions ('s, 'll ...) are pieces of their own or the end of their word.
struct SplitGrammar {
  enum class Contractions : uint8_t {
    none,
    lower_case,  // gpt2: pieces of their own
    any_case,    // cl100k: the same under Unicode case folding
    of_words,    // o200k: part of the word before them
  };

  Contractions contractions = Contractions::any_case;
  /// gpt2: a blank leads letters, numbers and others. Else it leads others, and any one character that is neither
  /// letter, number nor line break leads letters.
  bool only_blank_leads = false;
  bool words_have_marks = false;     // letters are [\p{L}\p{M}]
  bool words_split_at_case = false;  // o200k: [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+
  uint8_t digits = 0;                // a run of numbers is cut every so many; 0: not at all
  bool slash_after_others = false;   // others end with [\r\n/]*, not [\r\n]*
  bool end_is_one_piece = false;     // white space at the end of the text is not cut: `\s++$`
  /// DeepSeek-V3: numbers and runs of ideographs and kana are cut out first, and what stands before them ends there; a
  /// single ASCII punctuation mark leads ASCII letters only, up to the first other letter; others are \p{P}\p{S}, and
  /// what is neither they nor letter, mark, number, space leads letters or is no match.
  bool chinese_apart = false;
  /// Others take the line breaks behind them; other white space is cut behind its last line break: `\s*[\r\n]+`.
  [[nodiscard]] constexpr bool line_breaks() const { return !only_blank_leads; }
};

inline constexpr SplitGrammar gpt2_grammar{SplitGrammar::Contractions::lower_case, true};
inline constexpr SplitGrammar cl100k_grammar{.digits = 3};
inline constexpr SplitGrammar cl100k_tiktoken_grammar{.digits = 3, .end_is_one_piece = true};
inline constexpr SplitGrammar qwen2_grammar{.digits = 1};
inline constexpr SplitGrammar qwen3_5_grammar{.words_have_marks = true, .digits = 1};
inline constexpr SplitGrammar nanochat_grammar{.digits = 2};
inline constexpr SplitGrammar o200k_grammar{.contractions = SplitGrammar::Contractions::of_words,
                                            .words_split_at_case = true,
                                            .digits = 3,
                                            .slash_after_others = true};
inline constexpr SplitGrammar tekken_grammar{.contractions = SplitGrammar::Contractions::none,
                                             .words_split_at_case = true,
                                             .digits = 1,
                                             .slash_after_others = true};

inline constexpr SplitGrammar deepseek_v3_grammar{
    .contractions = SplitGrammar::Contractions::none, .words_have_marks = true, .digits = 3, .chinese_apart = true};

}  // namespace sesame
