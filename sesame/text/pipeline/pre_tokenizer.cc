#include <fmt/format.h>

#include <algorithm>

#include "sesame/base/error.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

using pre_tokenizer::Behavior;

/// A stretch of text that a pattern matched, or that lies between matches.
struct Stretch {
  size_t begin;
  size_t end;
  bool match;
};

/// Adds a match, and before it the text since the last one.
void add_match(std::vector<Stretch>& stretches, size_t begin, size_t end) {
  const size_t done = stretches.empty() ? 0 : stretches.back().end;
  if (begin > done) stretches.push_back({done, begin, false});
  stretches.push_back({begin, end, true});
}

void add_rest(std::vector<Stretch>& stretches, size_t size) {
  const size_t done = stretches.empty() ? 0 : stretches.back().end;
  if (size > done) stretches.push_back({done, size, false});
}

/// Joins stretches into pieces as Hugging Face's split behaviors do.
std::vector<Stretch> join(const std::vector<Stretch>& stretches, Behavior behavior) {
  std::vector<Stretch> pieces;
  bool last_match = false;
  if (behavior == Behavior::merged_with_next) {
    for (auto s = stretches.rbegin(); s != stretches.rend(); ++s) {
      if (s->match && !last_match && !pieces.empty()) {
        pieces.back().begin = s->begin;
      } else {
        pieces.push_back(*s);
      }
      last_match = s->match;
    }
    std::reverse(pieces.begin(), pieces.end());
    return pieces;
  }
  for (const Stretch& s : stretches) {
    const bool joins = (behavior == Behavior::merged_with_previous && s.match && !last_match) ||
                       (behavior == Behavior::contiguous && s.match == last_match);
    if (joins && !pieces.empty()) {
      pieces.back().end = s.end;
    } else if (behavior != Behavior::removed || !s.match) {
      pieces.push_back(s);
    }
    last_match = s.match;
  }
  return pieces;
}

void emit_pieces(std::string_view text, std::vector<Stretch> stretches, Behavior behavior, bool invert,
                 FunctionRef<void(std::string_view)> emit) {
  if (invert) {
    for (Stretch& s : stretches) s.match = !s.match;
  }
  for (const Stretch& piece : join(stretches, behavior)) {
    if (piece.end > piece.begin) emit(text.substr(piece.begin, piece.end - piece.begin));
  }
}

void emit_digits(std::string_view text, bool individual, FunctionRef<void(std::string_view)> emit) {
  const CharClasses& classes = CharClasses::get();
  std::vector<Stretch> stretches;
  for (size_t i = 0; i < text.size();) {
    const auto [bits, length] = classify_utf8(classes, text, i);
    if ((bits & char_number) != 0) add_match(stretches, i, i + length);
    i += length;
  }
  add_rest(stretches, text.size());
  emit_pieces(text, std::move(stretches), individual ? Behavior::isolated : Behavior::contiguous, false, emit);
}

void emit_runs(std::string_view text, std::string_view replacement, FunctionRef<void(std::string_view)> emit) {
  size_t begin = 0;
  for (size_t at = text.find(replacement); at != std::string_view::npos;) {
    if (at > begin) emit(text.substr(begin, at - begin));
    begin = at;
    do at += replacement.size();
    while (text.substr(at).starts_with(replacement));
    at = text.find(replacement, at);
  }
  if (begin < text.size()) emit(text.substr(begin));
}

}  // namespace

PreTokenizer::PreTokenizer(const std::vector<pre_tokenizer::Step>& steps, std::string_view origin) {
  for (const pre_tokenizer::Step& step : steps) {
    if (byte_level_) {
      fail(fmt::format("{}: pre_tokenizer: Sesame supports ByteLevel as the last pre-tokenizer only", origin));
    }
    if (const auto* bytes = std::get_if<pre_tokenizer::ByteLevel>(&step)) {
      byte_level_ = true;
      if (bytes->add_prefix_space) stages_.emplace_back(PrefixSpace{});
      if (bytes->use_regex) stages_.emplace_back(Known{SplitPattern::gpt2});
    } else if (const auto* split = std::get_if<pre_tokenizer::Split>(&step)) {
      add(*split, origin);
    } else if (const auto* digits = std::get_if<pre_tokenizer::Digits>(&step)) {
      stages_.emplace_back(*digits);
    } else if (const auto* metaspace = std::get_if<pre_tokenizer::Metaspace>(&step)) {
      stages_.emplace_back(*metaspace);
    } else {
      fail(fmt::format("{}: Sesame does not support this pre-tokenizer", origin));
    }
  }
}

void PreTokenizer::add(const pre_tokenizer::Split& split, std::string_view origin) {
  // Every character of these patterns' texts belongs to a match, so isolated matches are all pieces, and removing what
  // lies between them changes nothing.
  const bool pieces_are_matches =
      (split.behavior == Behavior::isolated && !split.invert) || (split.behavior == Behavior::removed && split.invert);
  if (split.pattern.regex && pieces_are_matches) {
    if (const auto known = recognize_split_regex(split.pattern.text)) {
      stages_.emplace_back(Known{*known});
      return;
    }
    if (split.pattern.text == pre_tokenizer::every_character_regex) {
      stages_.emplace_back(Characters{});
      return;
    }
  }
  stages_.emplace_back(
      Found{PatternFinder(split.pattern, fmt::format("{}: pre_tokenizer", origin)), split.behavior, split.invert});
}

void PreTokenizer::split_before_runs_of(std::string_view replacement) {
  stages_.emplace_back(RunsOf{std::string(replacement)});
}

void PreTokenizer::apply(std::string_view text, bool at_start, FunctionRef<void(std::string_view piece)> emit) const {
  if (!text.empty()) apply_from(0, text, at_start, emit);
}

void PreTokenizer::apply_from(size_t stage, std::string_view text, bool at_start,
                              FunctionRef<void(std::string_view)> emit) const {
  if (stage == stages_.size()) return emit(text);
  const bool last = stage + 1 == stages_.size();
  bool first = at_start;
  const auto pass_on = [&](std::string_view piece) {
    if (last) return emit(piece);
    apply_from(stage + 1, piece, first, emit);
    first = false;
  };
  if (const auto* known = std::get_if<Known>(&stages_[stage])) {
    split(known->pattern, text, 0, text.size(), pass_on);
  } else if (std::holds_alternative<Characters>(stages_[stage])) {
    for (size_t i = 0; i < text.size();) {
      const size_t length = decode_utf8(text, i).length;
      pass_on(text.substr(i, length));
      i += length;
    }
  } else if (const auto* found = std::get_if<Found>(&stages_[stage])) {
    std::vector<Stretch> stretches;
    found->finder.for_each_match(text, [&](size_t begin, size_t end) { add_match(stretches, begin, end); });
    add_rest(stretches, text.size());
    emit_pieces(text, std::move(stretches), found->behavior, found->invert, pass_on);
  } else if (const auto* digits = std::get_if<pre_tokenizer::Digits>(&stages_[stage])) {
    emit_digits(text, digits->individual, pass_on);
  } else if (std::holds_alternative<PrefixSpace>(stages_[stage])) {
    if (text.front() == ' ') return pass_on(text);
    pass_on(" " + std::string(text));
  } else if (const auto* runs = std::get_if<RunsOf>(&stages_[stage])) {
    emit_runs(text, runs->replacement, pass_on);
  } else {
    const auto& metaspace = std::get<pre_tokenizer::Metaspace>(stages_[stage]);
    std::string replaced;
    for (const char c : text) {
      if (c == ' ') {
        replaced += metaspace.replacement;
      } else {
        replaced += c;
      }
    }
    const bool prepends = metaspace.prepend_scheme == pre_tokenizer::PrependScheme::always ||
                          (metaspace.prepend_scheme == pre_tokenizer::PrependScheme::first && at_start);
    if (prepends && !replaced.starts_with(metaspace.replacement)) replaced.insert(0, metaspace.replacement);
    if (!metaspace.split) return pass_on(replaced);
    std::vector<Stretch> stretches;
    PatternFinder({metaspace.replacement, false}, "").for_each_match(replaced, [&](size_t begin, size_t end) {
      add_match(stretches, begin, end);
    });
    add_rest(stretches, replaced.size());
    emit_pieces(replaced, std::move(stretches), Behavior::merged_with_next, false, pass_on);
  }
}

}  // namespace sesame
