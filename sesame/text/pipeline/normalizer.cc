#include <fmt/format.h>

#include <type_traits>

#include "sesame/base/error.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {

PatternFinder::PatternFinder(const Pattern& pattern, std::string_view origin) {
  if (pattern.regex) {
    regex_.emplace(pattern.text, origin);
  } else {
    literal_ = pattern.text;
  }
}

void PatternFinder::for_each_match(std::string_view text, FunctionRef<void(size_t begin, size_t end)> visit) const {
  if (regex_) return regex_->for_each_match(text, visit);
  if (literal_.empty()) return;
  for (size_t at = text.find(literal_); at != std::string_view::npos; at = text.find(literal_, at + literal_.size())) {
    visit(at, at + literal_.size());
  }
}

Normalizer::Normalizer(const std::vector<normalizer::Step>& steps, std::string_view origin) {
  for (const normalizer::Step& step : steps) {
    std::visit(
        [&](const auto& s) {
          if constexpr (std::is_same_v<std::decay_t<decltype(s)>, normalizer::Replace>) {
            steps_.emplace_back(Replace{PatternFinder(s.pattern, origin), s.content});
          } else if constexpr (std::is_constructible_v<Step, decltype(s)>) {
            steps_.emplace_back(s);
          } else {
            fail(fmt::format("{}: Sesame does not support this normalizer", origin));
          }
        },
        step);
  }
}

namespace {

std::string strip_spaces(std::string_view text, const normalizer::Strip& strip) {
  const CharClasses& classes = CharClasses::get();
  size_t begin = 0;
  size_t end = 0;  // after the last character that is not a space
  bool started = !strip.left;
  for (size_t i = 0; i < text.size();) {
    const auto [bits, length] = classify_utf8(classes, text, i);
    const bool space = (bits & char_space) != 0;
    if (!space && !started) {
      begin = i;
      started = true;
    }
    i += length;
    if (!space || !strip.right) end = i;
  }
  return started && end > begin ? std::string(text.substr(begin, end - begin)) : std::string();
}

/// Replacements that feed each other could make gigabytes of a line; no tokenizer makes a text so much longer.
void check_growth(size_t from, size_t to) {
  constexpr size_t allowance = size_t{1} << 20;
  constexpr size_t times = 64;
  if (to / times <= from + allowance / times) return;
  fail(fmt::format("the tokenizer's normalizer makes more than {} bytes of a text of {}: a Replace is at fault", to,
                   from));
}

}  // namespace

std::string Normalizer::apply(std::string_view text) const {
  std::string result(text);
  for (const Step& step : steps_) {
    if (const auto* prepend = std::get_if<normalizer::Prepend>(&step)) {
      if (!result.empty()) result.insert(0, prepend->prepend);
    } else if (const auto* replace = std::get_if<Replace>(&step)) {
      std::string replaced;
      size_t done = 0;
      replace->finder.for_each_match(result, [&](size_t begin, size_t end) {
        replaced.append(result, done, begin - done).append(replace->content);
        check_growth(text.size(), replaced.size());
        done = end;
      });
      result = replaced.append(result, done);
    } else if (const auto* unicode = std::get_if<normalizer::Unicode>(&step)) {
      result = normalize_unicode(result, unicode->form);
    } else if (std::holds_alternative<normalizer::Lowercase>(step)) {
      result = lowercase_unicode(result);
    } else if (std::holds_alternative<normalizer::StripAccents>(step)) {
      result = strip_nonspacing_marks(result);
    } else {
      result = strip_spaces(result, std::get<normalizer::Strip>(step));
    }
  }
  return result;
}

}  // namespace sesame
