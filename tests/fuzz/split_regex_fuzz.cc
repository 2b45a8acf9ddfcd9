#include <algorithm>
#include <array>

#include "sesame/text/split/regex.h"
#include "sesame/text/split/split_automaton.h"
#include "sesame/text/split/split_pattern.h"
#include "sesame/text/split/splitter.h"
#include "tests/fuzz/target.h"

namespace sesame::fuzz {
namespace {

struct Span {
  size_t begin;
  size_t end;
  friend bool operator==(const Span&, const Span&) = default;
};

/// Whether a set holds another set, or nothing: PCRE2 takes the brackets for characters, Oniguruma does not.
bool has_nested_set(std::string_view regex) {
  bool inside = false;
  for (size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (regex[i] == '[') {
      if (inside || regex.substr(i + 1).starts_with("]") || regex.substr(i + 1).starts_with("^]")) return true;
      inside = true;
    } else if (regex[i] == ']') {
      inside = false;
    }
  }
  return false;
}

/// Whether PCRE2 reads an expression as Oniguruma does and knows all characters of the text: what the automaton is
/// compared on. Of escapes those are left that both have.
bool same_in_pcre2(std::string_view regex, std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; })) return false;
  for (size_t i = regex.find('\\'); i != std::string_view::npos; i = regex.find('\\', i + 2)) {
    const char escaped = i + 1 < regex.size() ? regex[i + 1] : 'Q';
    const bool is_letter = (escaped | 0x20) >= 'a' && (escaped | 0x20) <= 'z';
    if ((is_letter && std::string_view("nrtsSpP").find(escaped) == std::string_view::npos) ||
        (escaped >= '0' && escaped <= '9')) {
      return false;
    }
  }
  const auto has = [&](std::string_view part) { return regex.find(part) != std::string_view::npos; };
  return !has_nested_set(regex) && !has("}+") && !has("{,") && !has("&&") && !has("(?") && !has("(*");
}

std::vector<Span> matches_of(const SplitAutomaton& automaton, std::string_view text) {
  std::vector<Span> matches;
  for (size_t at = 0; at < text.size();) {
    const SplitAutomaton::Match match = automaton.find(text, at);
    if (match.begin == match.end) break;
    require(match.begin >= at && match.end <= text.size(), "matches lie inside the text, in order");
    matches.push_back({match.begin, match.end});
    at = match.end;
  }
  return matches;
}

void check_pieces(const Splitter& splitter, std::string_view text) {
  std::array<uint32_t, 7> ends;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t count = splitter.find_ends(text, begin, ends);
    require(count > 0, "a text that is not at its end has a piece");
    size_t last = 0;
    for (size_t i = 0; i < count; ++i) {
      require(ends[i] > last && begin + ends[i] <= text.size(), "pieces are not empty and lie inside the text");
      last = ends[i];
    }
    begin += last;
  }
}

/// An expression up to the first line break, then a text.
void parse(std::string_view input) {
  const size_t cut = std::min(input.find('\n'), input.size());
  const std::string_view regex = input.substr(0, std::min<size_t>(cut, 120));
  const std::string_view text = input.substr(std::min(cut + 1, input.size())).substr(0, 2000);
  if (const auto automaton = SplitAutomaton::compile(regex, RegexSyntax::oniguruma)) {
    const std::vector<Span> ours = matches_of(*automaton, text);
    if (same_in_pcre2(regex, text)) {
      allow_error([&] {
        std::vector<Span> theirs;
        Regex(regex, "pattern").for_each_match(text, [&](size_t begin, size_t end) { theirs.push_back({begin, end}); });
        require(ours == theirs, "the automaton finds what PCRE2 finds");
      });
    }
  }
  check_pieces(*Splitter::compile(regex, "pattern"), text);
}

std::vector<std::string> seeds() {
  constexpr std::string_view text = "\nIt's  a TEST, 12345 (don't)\r\n\n  end \t!?  x";
  std::vector<std::string> all;
  all.push_back(std::string(split_regex(SplitPattern::gpt2)) + std::string(text));
  for (const char* regex :
       {"[^\\r\\na-z]?[A-Z]+|[0-9]{1,3}| ?[^\\s]+[\\r\\n]*|\\s+(?!\\S)|\\s+", "a*?b|(ab|a)(c|bcd)(d*)|x++y",
        "\\p{Lu}+|\\p{P}|[a-c&&b]|[^\\p{L}]", "(a|ab)*c|.+$", "\\s*[\\r\\n]+|(?i:'s|'ll)"}) {
    all.push_back(regex + std::string(text));
  }
  return all;
}

const Target target("split_regex", parse, seeds);

}  // namespace
}  // namespace sesame::fuzz
