#include <fmt/format.h>

#include <type_traits>
#include <utility>

#include "sesame/base/error.h"
#include "sesame/text/pipeline/spell_characters.h"
#include "sesame/text/pipeline/text_stages.h"
#include "sesame/text/pipeline/unicode_forms.h"
#include "sesame/text/unicode/hugging_face_categories.h"

namespace sesame {
namespace {

/// Calls `visit(character, bytes)` for the characters of a text; bytes that are not UTF-8 and, with `keep_ascii`, ASCII
/// are kept in runs and not visited.
template <typename Edit, typename Visit>
void edit_characters(std::string_view text, Edit& edit, bool keep_ascii, Visit visit) {
  size_t run = 0;
  const auto end_run = [&](size_t end) {
    if (end > run) edit.keep(end - run);
  };
  for (size_t i = 0; i < text.size();) {
    if (keep_ascii && static_cast<uint8_t>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const Utf8Char c = decode_utf8(text, i);
    if (c.valid) {
      end_run(i);
      visit(c.code, size_t{c.length});
      run = i + c.length;
    }
    i += c.length;
  }
  end_run(text.size());
}

/// Added to a byte that is no character, where characters are numbers.
constexpr uint32_t raw_byte = 0x110000;

std::string_view to_utf8(uint32_t code, std::string& buffer) {
  buffer.clear();
  if (code < raw_byte) {
    append_utf8(code, buffer);
  } else {
    buffer += static_cast<char>(static_cast<uint8_t>(code - raw_byte));
  }
  return buffer;
}

template <typename Edit, typename Drop>
void drop_characters(std::string_view text, Edit& edit, bool keep_ascii, Drop drop) {
  edit_characters(text, edit, keep_ascii, [&](uint32_t code, size_t bytes) {
    if (drop(code)) {
      edit.skip(bytes);
    } else {
      edit.keep(bytes);
    }
  });
}

/// Writes characters as what they stand for says; `text` is what the edit reads from its position on.
template <typename Edit>
void apply_changes(std::string_view text, const std::vector<CharChange>& changes, Edit& edit) {
  std::string buffer;
  size_t at = 0;
  for (const CharChange& c : changes) {
    const std::string_view utf8 = to_utf8(c.code, buffer);
    if (c.change > 0) {
      edit.insert(utf8);
      continue;
    }
    const size_t begin = at;
    for (int32_t k = 0; k <= -c.change && at < text.size(); ++k) at += decode_utf8(text, at).length;
    edit.put(utf8, at - begin);
  }
  edit.skip(text.size() - at);
}

template <typename Edit>
void change_form(std::string_view text, UnicodeForm form, Edit& edit) {
  std::vector<CharChange> changed;
  for (Stretched s = next_changing(text, 0, form); s.begin < text.size(); s = next_changing(text, s.end, form)) {
    edit.keep(s.begin - edit.position());
    const std::string_view stretch = text.substr(s.begin, s.end - s.begin);
    change_to_form(stretch, form, changed);
    apply_changes(stretch, changed, edit);
  }
  edit.keep_rest();
}

template <typename Edit>
void lower(std::string_view text, Edit& edit) {
  std::u32string lowered;
  std::string buffer;
  edit_characters(text, edit, false, [&](uint32_t code, size_t bytes) {
    if (code < 0x80) {
      const bool upper = code >= 'A' && code <= 'Z';
      if (!upper) return edit.keep(bytes);
      const char c = static_cast<char>(code + 32);
      return edit.put({&c, 1}, bytes);
    }
    lowered.clear();
    hugging_face::append_lowercase(code, lowered);
    if (lowered.size() == 1 && lowered[0] == code) return edit.keep(bytes);
    edit.put(to_utf8(lowered[0], buffer), bytes);
    for (size_t i = 1; i < lowered.size(); ++i) edit.insert(to_utf8(lowered[i], buffer));
  });
}

template <typename Edit>
void clean(std::string_view text, Edit& edit) {
  edit_characters(text, edit, false, [&](uint32_t code, size_t bytes) {
    if (hugging_face::is_control(code)) {
      edit.skip(bytes);
    } else if (code != ' ' && hugging_face::is_white_space(code)) {
      edit.put(" ", bytes);
    } else {
      edit.keep(bytes);
    }
  });
}

template <typename Edit>
void space_chinese(std::string_view text, Edit& edit) {
  std::string buffer;
  edit_characters(text, edit, true, [&](uint32_t code, size_t bytes) {
    if (!hugging_face::is_chinese(code)) return edit.keep(bytes);
    edit.put(" ", bytes);
    edit.insert(to_utf8(code, buffer));
    edit.insert(" ");
  });
}

template <typename Edit>
void strip(std::string_view text, const normalizer::Strip& step, Edit& edit) {
  const auto is_space = [&](size_t i) {
    const Utf8Char c = decode_utf8(text, i);
    return c.valid && hugging_face::is_white_space(c.code);
  };
  size_t begin = 0;
  while (step.left && begin < text.size() && is_space(begin)) begin += decode_utf8(text, begin).length;
  size_t end = begin;  // behind the last character that is not white space
  if (!step.right) end = text.size();
  for (size_t i = begin; i < text.size() && step.right;) {
    const bool space = is_space(i);
    i += decode_utf8(text, i).length;
    if (!space) end = i;
  }
  edit.skip(begin);
  edit.keep(end - begin);
  edit.skip(text.size() - end);
}

/// The first character of `prepended` takes the place of the text's first one, which then comes in addition.
template <typename Edit>
void prepend(std::string_view text, std::string_view prepended, Edit& edit) {
  if (text.empty()) return;
  const size_t first = decode_utf8(text, 0).length;
  bool placed = false;
  for (size_t i = 0; i < prepended.size();) {
    const size_t length = decode_utf8(prepended, i).length;
    const std::string_view c = prepended.substr(i, length);
    if (std::exchange(placed, true)) {
      edit.insert(c);
    } else {
      edit.put(c, first);
    }
    i += length;
  }
  edit.insert(text.substr(0, first));
  if (!placed) edit.skip(first);
  edit.keep_rest();
}

/// Replacements that feed each other could make gigabytes of a line; no tokenizer makes a text so much longer.
void check_growth(size_t from, size_t to) {
  constexpr size_t allowance = size_t{1} << 20;
  constexpr size_t times = 64;
  if (to / times <= from + allowance / times) return;
  fail(fmt::format("the tokenizer's normalizer makes more than {} bytes of a text of {}: a Replace is at fault", to,
                   from));
}

template <typename Edit>
void replace(std::string_view text, const PatternFinder& finder, std::string_view content, size_t original,
             Edit& edit) {
  finder.for_each_match(text, [&](size_t begin, size_t end) {
    edit.keep(begin - edit.position());
    edit.skip(end - begin);
    edit.insert(content);
    check_growth(original, edit.written());
  });
  edit.keep_rest();
}

/// Control characters out, other white space and what was meant to be white space as spaces.
template <typename Edit>
void nmt(std::string_view text, Edit& edit) {
  edit_characters(text, edit, false, [&](uint32_t code, size_t bytes) {
    const bool drops = (code >= 1 && code <= 8) || code == 0xB || (code >= 0xE && code <= 0x1F) || code == 0x7F ||
                       code == 0x8F || code == 0x9F;
    const bool space = code == 9 || code == 0xA || code == 0xC || code == 0xD || code == 0x1680 ||
                       (code >= 0x200B && code <= 0x200F) || code == 0x2028 || code == 0x2029 || code == 0x2581 ||
                       code == 0xFEFF || code == 0xFFFD;
    if (drops) {
      edit.skip(bytes);
    } else if (space) {
      edit.put(" ", bytes);
    } else {
      edit.keep(bytes);
    }
  });
}

std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> codes;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    codes.push_back(c.valid ? c.code : raw_byte + static_cast<uint8_t>(text[i]));
    i += c.length;
  }
  return codes;
}

/// The changes of the whole text, since what is replaced by nothing counts for the character before it, and at the
/// start of a text for none: what Hugging Face's offsets say there.
template <typename Edit>
void precompiled(std::string_view text, const PrecompiledNormalizer& normalizer, Edit& edit) {
  std::vector<CharChange> changes;
  normalizer.for_each(text, [&](size_t begin, size_t end, std::string_view replacement) {
    const std::string_view old = text.substr(begin, end - begin);
    const std::vector<uint32_t> codes = code_points(replacement);
    const auto difference =
        static_cast<int32_t>(static_cast<int64_t>(codes.size()) - static_cast<int64_t>(code_points(old).size()));
    for (const uint32_t code : codes) changes.push_back({code, 0});
    for (int32_t i = 0; i < difference; ++i) changes[changes.size() - 1 - static_cast<size_t>(i)].change = 1;
    if (difference < 0 && !changes.empty()) changes.back().change += difference;
  });
  apply_changes(text, changes, edit);
}

}  // namespace

Normalizer::Normalizer(const std::vector<normalizer::Step>& steps, std::string_view origin) {
  for (const normalizer::Step& step : steps) {
    std::visit(
        [&](const auto& s) {
          using Given = std::decay_t<decltype(s)>;
          if constexpr (std::is_same_v<Given, normalizer::Replace>) {
            steps_.emplace_back(Replace{PatternFinder(s.pattern, origin), s.content});
          } else if constexpr (std::is_same_v<Given, normalizer::Precompiled>) {
            steps_.emplace_back(PrecompiledNormalizer(s.charsmap, origin));
          } else if constexpr (std::is_same_v<Given, normalizer::SentencePiece>) {
            fail(fmt::format("{}: SentencePiece's normalizer goes with SentencePiece's model only", origin));
          } else {
            steps_.emplace_back(s);
          }
        },
        step);
  }
}

template <typename View>
auto Normalizer::apply_steps(View text) const {
  using Edit = decltype(edit_of(text));
  const size_t original = text.text.size();
  typename Edit::Text current;
  const auto change = [&](auto make) {
    Edit edit(text);
    make(text.text, edit);
    current = edit.take();
    text = View(current);
  };
  change([](std::string_view, Edit& edit) { edit.keep_rest(); });
  const auto run = [&](const auto& step) {
    using Given = std::decay_t<decltype(step)>;
    if constexpr (std::is_same_v<Given, normalizer::Prepend>) {
      change([&](auto t, Edit& e) { prepend(t, step.prepend, e); });
    } else if constexpr (std::is_same_v<Given, Replace>) {
      change([&](auto t, Edit& e) { replace(t, step.finder, step.content, original, e); });
    } else if constexpr (std::is_same_v<Given, normalizer::Unicode>) {
      change([&](auto t, Edit& e) { change_form(t, step.form, e); });
    } else if constexpr (std::is_same_v<Given, normalizer::Lowercase>) {
      change([](auto t, Edit& e) { lower(t, e); });
    } else if constexpr (std::is_same_v<Given, normalizer::StripAccents>) {
      change([](auto t, Edit& e) { drop_characters(t, e, true, hugging_face::is_mark); });
    } else if constexpr (std::is_same_v<Given, normalizer::Strip>) {
      change([&](auto t, Edit& e) { strip(t, step, e); });
    } else if constexpr (std::is_same_v<Given, normalizer::Bert>) {
      if (step.clean_text) change([](auto t, Edit& e) { clean(t, e); });
      if (step.handle_chinese_chars) change([](auto t, Edit& e) { space_chinese(t, e); });
      if (step.strip_accents.value_or(step.lowercase)) {
        change([](auto t, Edit& e) { change_form(t, UnicodeForm::nfd, e); });
        change([](auto t, Edit& e) { drop_characters(t, e, true, hugging_face::is_nonspacing_mark); });
      }
      if (step.lowercase) change([](auto t, Edit& e) { lower(t, e); });
    } else if constexpr (std::is_same_v<Given, PrecompiledNormalizer>) {
      change([&](auto t, Edit& e) { precompiled(t, step, e); });
    } else if constexpr (std::is_same_v<Given, normalizer::Nmt>) {
      change([](auto t, Edit& e) { nmt(t, e); });
    } else {
      static_assert(std::is_same_v<Given, normalizer::ByteLevel>);
      change([](auto t, Edit& e) { spell_characters(t, e); });
    }
  };
  for (const Step& step : steps_) std::visit(run, step);
  return current;
}

PlainText Normalizer::apply(PlainView text) const { return apply_steps(text); }

AlignedText Normalizer::apply(AlignedView text) const { return apply_steps(text); }

}  // namespace sesame
