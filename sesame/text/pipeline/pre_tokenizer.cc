#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sesame/base/error.h"
#include "sesame/text/pipeline/hugging_face_classes.h"
#include "sesame/text/pipeline/spell_characters.h"
#include "sesame/text/pipeline/split_behavior.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/unicode/hugging_face_categories.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

using pre_tokenizer::Behavior;

/// Calls emit(begin, end) for the pieces between or around the characters that `is_match` holds for.
template <typename IsMatch, typename Emit>
void split_at_characters(std::string_view text, Behavior behavior, IsMatch is_match, Emit emit) {
  const bool streams = behavior == Behavior::isolated || behavior == Behavior::removed;
  MatchedText matched;
  size_t done = 0;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    const size_t end = i + c.length;
    if (c.valid && is_match(c.code)) {
      if (!streams) {
        matched.add_match(i, end);
      } else {
        if (i > done) emit(done, i);
        if (behavior == Behavior::isolated) emit(i, end);
        done = end;
      }
    }
    i = end;
  }
  if (streams) {
    if (text.size() > done) emit(done, text.size());
    return;
  }
  matched.finish(text.size());
  matched.emit(behavior, emit);
}

/// \w+|[^\w\s]+
template <typename Emit>
void split_words(std::string_view text, Emit emit) {
  enum class Kind : uint8_t { space, word, other };
  Kind last = Kind::space;
  size_t begin = 0;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    const Kind kind = !c.valid                               ? Kind::other
                      : hugging_face::is_word(c.code)        ? Kind::word
                      : hugging_face::is_white_space(c.code) ? Kind::space
                                                             : Kind::other;
    if (kind != last) {
      if (last != Kind::space) emit(begin, i);
      begin = i;
      last = kind;
    }
    i += c.length;
  }
  if (last != Kind::space) emit(begin, text.size());
}

/// Characters of any script before the first one of a certain script belong to no piece: so Hugging Face has it.
template <typename Emit>
void split_scripts(std::string_view text, Emit emit) {
  uint8_t last = 0;
  size_t begin = text.size();
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    const uint8_t script = c.valid ? hugging_face::script_group(c.code) : uint8_t{0};
    if (script != 0 && script != last) {
      if (last != 0) emit(begin, i);
      begin = i;
      last = script;
    }
    i += c.length;
  }
  if (begin < text.size()) emit(begin, text.size());
}

template <typename Emit>
void split_lengths(std::string_view text, uint64_t length, Emit emit) {
  size_t begin = 0;
  uint64_t count = 0;
  for (size_t i = 0; i < text.size();) {
    i += decode_utf8(text, i).length;
    if (++count < length && i < text.size()) continue;
    emit(begin, i);
    begin = i;
    count = 0;
  }
}

template <typename Emit>
void split_before_runs(std::string_view text, std::string_view replacement, Emit emit) {
  size_t begin = 0;
  for (size_t at = text.find(replacement); at != std::string_view::npos;) {
    if (at > begin) emit(begin, at);
    begin = at;
    do at += replacement.size();
    while (text.substr(at).starts_with(replacement));
    at = text.find(replacement, at);
  }
  if (begin < text.size()) emit(begin, text.size());
}

template <typename Emit>
void split_isolated(std::string_view text, const Splitter& splitter, Emit emit) {
  std::array<uint32_t, 256> ends;
  for (size_t begin = 0; begin < text.size();) {
    const size_t count = splitter.find_ends(text, begin, ends);
    const size_t from = begin;
    for (size_t i = 0; i < count; ++i) {
      const size_t end = from + ends[i];
      if (end > begin) emit(begin, end);
      begin = end;
    }
  }
}

/// Puts a character before a text; it stands where the first character stands.
template <typename View>
auto with_prefix(View text, std::string_view prefix) {
  auto edit = edit_of(text);
  const size_t first = decode_utf8(text.text, 0).length;
  edit.put(prefix, first);
  edit.insert(text.text.substr(0, first));
  edit.keep_rest();
  return edit.take();
}

template <typename View>
auto spaces_replaced(View text, std::string_view replacement) {
  auto edit = edit_of(text);
  for (size_t at = text.text.find(' '); at != std::string_view::npos; at = text.text.find(' ', at + 1)) {
    edit.keep(at - edit.position());
    edit.skip(1);
    edit.insert(replacement);
  }
  edit.keep_rest();
  return edit.take();
}

}  // namespace

bool sees_bytes(const TokenizerSpec& spec) {
  const auto* bpe = std::get_if<model::Bpe>(&spec.model);
  if (bpe == nullptr || spec.pre_tokenizers.empty() ||
      !std::holds_alternative<pre_tokenizer::ByteLevel>(spec.pre_tokenizers.back())) {
    return false;
  }
  if (bpe->byte_fallback || !bpe->continuing_subword_prefix.empty() || !bpe->end_of_word_suffix.empty()) return false;
  std::array<bool, 256> known{};
  for (const VocabularyEntry& entry : spec.vocabulary) {
    if (entry.token.size() > 2) continue;
    const auto bytes = unspell_bytes(entry.token);
    if (bytes && bytes->size() == 1) known[static_cast<uint8_t>((*bytes)[0])] = true;
  }
  return std::all_of(known.begin(), known.end(), [](bool k) { return k; });
}

PreTokenizer::PreTokenizer(const std::vector<pre_tokenizer::Step>& steps, std::string_view origin, bool bytes) {
  for (const pre_tokenizer::Step& step : steps) {
    if (const auto* byte_level = std::get_if<pre_tokenizer::ByteLevel>(&step)) {
      add(*byte_level, bytes && &step == &steps.back());
    } else if (const auto* split = std::get_if<pre_tokenizer::Split>(&step)) {
      add(*split, origin);
    } else {
      std::visit(
          [&](const auto& s) {
            if constexpr (std::is_constructible_v<Stage, decltype(s)>) stages_.emplace_back(s);
          },
          step);
    }
  }
}

void PreTokenizer::add(const pre_tokenizer::ByteLevel& step, bool bytes) {
  if (step.add_prefix_space) stages_.emplace_back(PrefixSpace{});
  if (step.use_regex) stages_.emplace_back(Isolate{Splitter::known(SplitPattern::gpt2)});
  if (!bytes) stages_.emplace_back(SpellBytes{});
}

void PreTokenizer::add(const pre_tokenizer::Split& split, std::string_view origin) {
  const std::string place = fmt::format("{}: pre_tokenizer", origin);
  if (split.pattern.regex) {
    // Every character of a well-known pattern's texts belongs to a match, so that to remove what is none changes
    // nothing.
    if (split.behavior == Behavior::isolated || (split.behavior == Behavior::removed && split.invert &&
                                                 recognize_split_regex(split.pattern.text).has_value())) {
      stages_.emplace_back(Isolate{Splitter::compile(split.pattern.text, place)});
      return;
    }
  }
  stages_.emplace_back(Find{PatternFinder(split.pattern, place), split.behavior, split.invert});
}

void PreTokenizer::split_before_runs_of(std::string_view replacement) {
  stages_.emplace_back(RunsOf{std::string(replacement)});
}

template <typename View>
void PreTokenizer::apply_from(size_t stage, View text, FunctionRef<void(View)> emit) const {
  if (text.text.empty()) return;
  if (stage == stages_.size()) return emit(text);
  if (stage + 1 == stages_.size()) return apply_stage<View>(stages_[stage], text, emit);
  apply_stage<View>(stages_[stage], text, [&](View piece) { apply_from<View>(stage + 1, piece, emit); });
}

template <typename View>
void PreTokenizer::apply_stage(const Stage& stage, View text, FunctionRef<void(View)> emit) const {
  const auto cut = [&](size_t begin, size_t end) { emit(text.slice(begin, end)); };
  const std::string_view bytes = text.text;
  if (const auto* isolate = std::get_if<Isolate>(&stage)) {
    split_isolated(bytes, *isolate->splitter, cut);
  } else if (const auto* find = std::get_if<Find>(&stage)) {
    MatchedText matched;
    find->finder.for_each_match(bytes, [&](size_t begin, size_t end) { matched.add_match(begin, end); });
    matched.finish(bytes.size());
    if (find->invert) matched.invert();
    matched.emit(find->behavior, cut);
  } else if (const auto* digits = std::get_if<pre_tokenizer::Digits>(&stage)) {
    split_at_characters(bytes, digits->individual ? Behavior::isolated : Behavior::contiguous, hugging_face::is_numeric,
                        cut);
  } else if (std::holds_alternative<PrefixSpace>(stage)) {
    if (bytes.front() == ' ') return emit(text);
    const auto prefixed = with_prefix(text, " ");
    emit(View(prefixed));
  } else if (std::holds_alternative<SpellBytes>(stage)) {
    auto edit = edit_of(text);
    spell_characters(bytes, edit);
    const auto spelled = edit.take();
    emit(View(spelled));
  } else if (const auto* metaspace = std::get_if<pre_tokenizer::Metaspace>(&stage)) {
    using pre_tokenizer::PrependScheme;
    auto replaced = spaces_replaced(text, metaspace->replacement);
    const bool wanted = metaspace->prepend_scheme == PrependScheme::always ||
                        (metaspace->prepend_scheme == PrependScheme::first && text.at_start());
    if (wanted && !replaced.text.starts_with(metaspace->replacement)) {
      replaced = with_prefix(View(replaced), metaspace->replacement);
    }
    const View whole(replaced);
    if (!metaspace->split) return emit(whole);
    const uint32_t mark = decode_utf8(metaspace->replacement, 0).code;
    split_at_characters(
        whole.text, Behavior::merged_with_next, [&](uint32_t code) { return code == mark; },
        [&](size_t begin, size_t end) { emit(whole.slice(begin, end)); });
  } else if (std::holds_alternative<pre_tokenizer::Bert>(stage)) {
    split_at_characters(bytes, Behavior::removed, hugging_face::is_white_space, [&](size_t begin, size_t end) {
      split_at_characters(bytes.substr(begin, end - begin), Behavior::isolated, hugging_face::is_punctuation,
                          [&](size_t b, size_t e) { cut(begin + b, begin + e); });
    });
  } else if (std::holds_alternative<pre_tokenizer::Whitespace>(stage)) {
    split_words(bytes, cut);
  } else if (std::holds_alternative<pre_tokenizer::WhitespaceSplit>(stage)) {
    split_at_characters(bytes, Behavior::removed, hugging_face::is_white_space, cut);
  } else if (const auto* punctuation = std::get_if<pre_tokenizer::Punctuation>(&stage)) {
    split_at_characters(bytes, punctuation->behavior, hugging_face::is_punctuation, cut);
  } else if (const auto* delimiter = std::get_if<pre_tokenizer::CharDelimiterSplit>(&stage)) {
    split_at_characters(
        bytes, Behavior::removed, [&](uint32_t code) { return code == delimiter->delimiter; }, cut);
  } else if (std::holds_alternative<pre_tokenizer::UnicodeScripts>(stage)) {
    split_scripts(bytes, cut);
  } else if (const auto* lengths = std::get_if<pre_tokenizer::FixedLength>(&stage)) {
    split_lengths(bytes, lengths->length, cut);
  } else {
    split_before_runs(bytes, std::get<RunsOf>(stage).replacement, cut);
  }
}

void PreTokenizer::apply(PlainView text, FunctionRef<void(PlainView)> emit) const {
  apply_from<PlainView>(0, text, emit);
}

void PreTokenizer::apply(std::string_view text, bool at_start, FunctionRef<void(std::string_view)> emit) const {
  apply_from<PlainView>(0, plain_view(text, at_start), [&](PlainView piece) { emit(piece.text); });
}

void PreTokenizer::apply(AlignedView text, FunctionRef<void(AlignedView)> emit) const {
  apply_from<AlignedView>(0, text, emit);
}

}  // namespace sesame
