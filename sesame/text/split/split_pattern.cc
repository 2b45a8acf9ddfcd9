#include "sesame/text/split/split_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sesame/base/error.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

struct NamedPattern {
  std::string_view name;
  SplitPattern pattern;
};

constexpr std::array names = {
    NamedPattern{"gpt2", SplitPattern::gpt2},     NamedPattern{"cl100k", SplitPattern::cl100k},
    NamedPattern{"llama3", SplitPattern::cl100k}, NamedPattern{"cl100k_tiktoken", SplitPattern::cl100k_tiktoken},
    NamedPattern{"qwen2", SplitPattern::qwen2},   NamedPattern{"o200k", SplitPattern::o200k},
};

struct Spelling {
  std::string_view regex;
  SplitPattern pattern;
};

// The first spelling of a pattern is the one that is written. cl100k_tiktoken is written so that Oniguruma, PCRE2 and
// Rust agree on it: `{1,3}+` is possessive in two of them and a repetition in the third.
constexpr std::array spellings = {
    Spelling{R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", SplitPattern::gpt2},
    Spelling{R"('(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s)", SplitPattern::gpt2},
    Spelling{R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", SplitPattern::gpt2},
    Spelling{
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
        SplitPattern::cl100k},
    Spelling{
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s++$|\s*[\r\n]+|\s+(?!\S)|\s+)",
        SplitPattern::cl100k_tiktoken},
    Spelling{
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
        SplitPattern::qwen2},
    Spelling{
        R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
        SplitPattern::o200k},
};

/// Reads the characters of one text; every function returns the end of what it matched.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), classes_(CharClasses::get()) {}

  using Char = CharClassAt;

  [[nodiscard]] bool at_end(size_t p) const { return p >= text_.size(); }
  [[nodiscard]] char byte(size_t p) const { return p < text_.size() ? text_[p] : '\0'; }

  /// No bits and length 0 at the end of the text.
  [[nodiscard]] Char at(size_t p) const {
    if (at_end(p)) return {0, 0};
    return classify_utf8(classes_, text_, p);
  }

  /// Past the characters that have one of the bits.
  [[nodiscard]] size_t run(size_t p, unsigned bits) const {
    for (Char c = at(p); (c.bits & bits) != 0; c = at(p)) p += c.length;
    return p;
  }

  /// [^\s\p{L}\p{N}]*
  [[nodiscard]] size_t run_of_others(size_t p) const {
    for (Char c = at(p); c.length > 0 && is_other(c); c = at(p)) p += c.length;
    return p;
  }

  static bool is_other(Char c) { return (c.bits & (char_letter | char_number | char_space)) == 0; }
  [[nodiscard]] bool is_newline(size_t p) const { return byte(p) == '\n' || byte(p) == '\r'; }

  /// 's|'t|'re|'ve|'m|'ll|'d in lower case, or `p` where there is none.
  [[nodiscard]] size_t contraction(size_t p) const {
    if (byte(p) != '\'') return p;
    return p + contraction_tail(byte(p + 1), byte(p + 2));
  }

  /// The same under Unicode case folding, where U+017F folds to s.
  [[nodiscard]] size_t folded_contraction(size_t p) const {
    if (byte(p) != '\'') return p;
    if (byte(p + 1) == '\xC5' && byte(p + 2) == '\xBF') return p + 3;
    return p + contraction_tail(lower(byte(p + 1)), lower(byte(p + 2)));
  }

  /// The white space rules that end every pattern, from the white space at `p` on: `\s+(?!\S)|\s+`.
  [[nodiscard]] size_t spaces(size_t p) const {
    size_t last = p;
    size_t end = p;
    for (Char c = at(end); (c.bits & char_space) != 0; c = at(end)) {
      last = end;
      end += c.length;
    }
    return at_end(end) || last == p ? end : last;
  }

  /// `\s*[\r\n]+`, or `p` where the white space has no newline.
  [[nodiscard]] size_t spaces_to_newline(size_t p) const {
    size_t after_newline = p;
    for (Char c = at(p); (c.bits & char_space) != 0; c = at(p)) {
      if (is_newline(p)) after_newline = p + 1;
      p += c.length;
    }
    return after_newline;
  }

 private:
  static char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

  static size_t contraction_tail(char first, char second) {
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
    if ((first == 'r' || first == 'v') && second == 'e') return 3;
    return first == 'l' && second == 'l' ? 3 : 0;
  }

  std::string_view text_;
  const CharClasses& classes_;
};

size_t next_gpt2(const Reader& r, size_t p) {
  if (const size_t end = r.contraction(p); end > p) return end;
  const size_t start = r.byte(p) == ' ' ? p + 1 : p;
  const Reader::Char c = r.at(start);
  if ((c.bits & char_letter) != 0) return r.run(start + c.length, char_letter);
  if ((c.bits & char_number) != 0) return r.run(start + c.length, char_number);
  if (c.length > 0 && Reader::is_other(c)) return r.run_of_others(start + c.length);
  return r.spaces(p);
}

/// What cl100k and o200k share after their word rules: numbers, punctuation, white space.
size_t next_after_words(const Reader& r, size_t p, int digits, bool slash_ends, bool join_trailing_space) {
  Reader::Char c = r.at(p);
  if ((c.bits & char_number) != 0) {
    for (int i = 0; i < digits && (c.bits & char_number) != 0; ++i) {
      p += c.length;
      c = r.at(p);
    }
    return p;
  }
  const size_t start = r.byte(p) == ' ' ? p + 1 : p;
  if (const size_t others = r.run_of_others(start); others > start) {
    size_t end = others;
    while (r.is_newline(end) || (slash_ends && r.byte(end) == '/')) ++end;
    return end;
  }
  if (join_trailing_space) {
    if (const size_t end = r.run(p, char_space); r.at_end(end)) return end;
  }
  if (const size_t end = r.spaces_to_newline(p); end > p) return end;
  return r.spaces(p);
}

size_t next_cl100k(const Reader& r, size_t p, int digits, bool join_trailing_space) {
  if (const size_t end = r.folded_contraction(p); end > p) return end;
  const Reader::Char c = r.at(p);
  if ((c.bits & char_letter) != 0) return r.run(p + c.length, char_letter);
  if ((c.bits & char_number) == 0 && !r.is_newline(p)) {
    const size_t word = p + c.length;
    if (const size_t end = r.run(word, char_letter); end > word) return end;
  }
  return next_after_words(r, p, digits, false, join_trailing_space);
}

/// [upper-like]*[lower-like]+ with the backtracking of a regular expression, or `start` where it does not match: when
/// no lower-like character follows the upper-like run, the match gives back characters until it ends in one that is
/// both.
size_t o200k_lower_word(const Reader& r, size_t start) {
  size_t end = start;
  size_t after_both = start;
  for (Reader::Char c = r.at(end); (c.bits & char_upper_like) != 0; c = r.at(end)) {
    end += c.length;
    if ((c.bits & char_lower_like) != 0) after_both = end;
  }
  const size_t lower = r.run(end, char_lower_like);
  return lower > end ? lower : after_both;
}

size_t next_o200k(const Reader& r, size_t p) {
  const Reader::Char c = r.at(p);
  const bool may_lead = (c.bits & (char_letter | char_number)) == 0 && !r.is_newline(p);
  const size_t after_lead = may_lead ? p + c.length : p;
  if (const size_t end = o200k_lower_word(r, after_lead); end > after_lead) return r.folded_contraction(end);
  // A mark may lead a word or be its first character.
  if (may_lead) {
    if (const size_t end = o200k_lower_word(r, p); end > p) return r.folded_contraction(end);
  }
  // Where the first rule fails there is no lower-like character after the upper-like run.
  if (const size_t end = r.run(after_lead, char_upper_like); end > after_lead) return r.folded_contraction(end);
  return next_after_words(r, p, 3, true, false);
}

template <typename Next>
void split_with(std::string_view text, size_t begin, size_t end, FunctionRef<void(std::string_view)> emit, Next next) {
  const Reader reader(text);
  for (size_t p = begin; p < end;) {
    const size_t q = next(reader, p);
    emit(text.substr(p, q - p));
    p = q;
  }
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::string_view split_regex(SplitPattern pattern) {
  return std::find_if(spellings.begin(), spellings.end(), [&](const Spelling& s) { return s.pattern == pattern; })
      ->regex;
}

std::optional<SplitPattern> recognize_split_regex(std::string_view regex) {
  for (const Spelling& s : spellings) {
    if (s.regex == regex) return s.pattern;
  }
  return std::nullopt;
}

SplitPattern split_pattern(std::string_view name) {
  std::string known;
  for (const NamedPattern& n : names) {
    if (n.name == name) return n.pattern;
    known += known.empty() ? "" : ", ";
    known += n.name;
  }
  fail_usage(fmt::format("unknown pre-tokenizer pattern '{}': choose one of {}", name, known));
}

std::string_view split_pattern_name(SplitPattern pattern) {
  return std::find_if(names.begin(), names.end(), [&](const NamedPattern& n) { return n.pattern == pattern; })->name;
}

void split(SplitPattern pattern, std::string_view text, size_t begin, size_t end,
           FunctionRef<void(std::string_view piece)> emit) {
  switch (pattern) {
    case SplitPattern::gpt2:
      return split_with(text, begin, end, emit, next_gpt2);
    case SplitPattern::cl100k:
      return split_with(text, begin, end, emit, [](const Reader& r, size_t p) { return next_cl100k(r, p, 3, false); });
    case SplitPattern::cl100k_tiktoken:
      return split_with(text, begin, end, emit, [](const Reader& r, size_t p) { return next_cl100k(r, p, 3, true); });
    case SplitPattern::qwen2:
      return split_with(text, begin, end, emit, [](const Reader& r, size_t p) { return next_cl100k(r, p, 1, false); });
    case SplitPattern::o200k:
      return split_with(text, begin, end, emit, next_o200k);
  }
}

size_t safe_cut(std::string_view text, size_t from) {
  for (size_t p = std::max<size_t>(from, 1); p < text.size(); ++p) {
    if (text[p - 1] == '\n' && is_ascii_letter(text[p])) return p;
  }
  return text.size();
}

}  // namespace sesame
