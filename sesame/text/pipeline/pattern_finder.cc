#include "sesame/text/pipeline/pattern_finder.h"

#include "sesame/text/unicode/unicode.h"

namespace sesame {

PatternFinder::PatternFinder(const Pattern& pattern, std::string_view origin) {
  if (!pattern.regex) {
    literal_ = pattern.text;
    return;
  }
  automaton_ = SplitAutomaton::compile(pattern.text, RegexSyntax::oniguruma);
  if (!automaton_) regex_.emplace(pattern.text, origin);
}

void PatternFinder::for_each_match(std::string_view text, FunctionRef<void(size_t begin, size_t end)> visit) const {
  if (text.empty()) return;
  if (automaton_) {
    for (size_t from = 0; from < text.size();) {
      const SplitAutomaton::Match match = automaton_->find(text, from);
      if (match.begin == text.size()) return;
      visit(match.begin, match.end);
      from = match.end;
    }
    return;
  }
  if (regex_) {
    size_t last = std::string_view::npos;
    regex_->for_each_match(text, [&](size_t begin, size_t end) {
      if (begin == end && begin == last) return;
      last = end;
      visit(begin, end);
    });
    return;
  }
  if (literal_.empty()) {
    for (size_t at = 0; at < text.size(); at += decode_utf8(text, at).length) visit(at, at);
    return visit(text.size(), text.size());
  }
  for (size_t at = text.find(literal_); at != std::string_view::npos; at = text.find(literal_, at + literal_.size())) {
    visit(at, at + literal_.size());
  }
}

}  // namespace sesame
