#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sesame/base/error.h"
#include "sesame/text/sentencepiece/charsmap.h"
#include "sesame/text/unicode/unicode.h"

/// SentencePiece's normalization rules, made as its own builder makes them (builder.cc): NFKC of every character, and
/// of every sequence of characters that is one character's decomposition, spelled in whatever way.
namespace sesame {
namespace {

using Rules = std::map<std::u32string, std::u32string>;

constexpr char32_t end_of_unicode = 0x110000;

std::string to_utf8(const std::u32string& text) {
  std::string out;
  for (const char32_t c : text) append_utf8(c, out);
  return out;
}

std::u32string to_utf32(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const Utf8Char c = decode_utf8(text, i);
    out.push_back(c.code);
    i += c.length;
  }
  return out;
}

std::u32string normalized(const std::u32string& text, UnicodeForm form) {
  return to_utf32(normalize_unicode(to_utf8(text), form));
}

/// Hangul syllables decompose by a formula, the rest by a table.
bool may_decompose(char32_t c) {
  if (c >= 0xAC00 && c < 0xD7A4) return true;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->decomp_seqindex != UINT16_MAX;
}

/// What the text is by the rules, the longest first, of at most `longest` characters.
std::u32string apply(const Rules& rules, const std::u32string& text, size_t longest) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    size_t length = std::min(longest, text.size() - i);
    auto rule = rules.end();
    for (; length > 0; --length) {
      rule = rules.find(text.substr(i, length));
      if (rule != rules.end()) break;
    }
    out += rule == rules.end() ? text.substr(i, 1) : rule->second;
    i += std::max<size_t>(length, 1);
  }
  return out;
}

/// The rules without those that shorter ones make superfluous.
Rules without_redundant(const Rules& rules) {
  std::vector<std::vector<Rules::const_iterator>> by_length(1);
  for (auto rule = rules.begin(); rule != rules.end(); ++rule) {
    by_length.resize(std::max(by_length.size(), rule->first.size() + 1));
    by_length[rule->first.size()].push_back(rule);
  }
  Rules kept;
  for (size_t length = 1; length < by_length.size(); ++length) {
    for (const auto rule : by_length[length]) {
      if (length == 1 || apply(kept, rule->first, length - 1) != rule->second) kept.insert(*rule);
    }
  }
  return kept;
}

/// Composed characters of which SentencePiece's table has no rule that ends in U+0340 or U+0341, which are U+0300 and
/// U+0301 by another name.
bool lacks_tone_marks(char32_t composed) {
  struct Range {
    char32_t first;
    char32_t last;
  };
  static constexpr Range ranges[] = {{0x1FA, 0x1FB},   {0x1FE, 0x1FF},   {0x403, 0x403},   {0x40C, 0x40C},
                                     {0x453, 0x453},   {0x45C, 0x45C},   {0x1E08, 0x1E09}, {0x1E14, 0x1E17},
                                     {0x1E2E, 0x1E2F}, {0x1E50, 0x1E53}, {0x1E78, 0x1E79}, {0x1F12, 0x1F15},
                                     {0x1F1A, 0x1F1D}, {0x1F42, 0x1F45}, {0x1F4A, 0x1F4D}};
  return std::any_of(std::begin(ranges), std::end(ranges),
                     [&](const Range& range) { return composed >= range.first && composed <= range.last; });
}

/// The text, and the text with every last character that decomposes to its own.
std::vector<std::u32string> spellings(const std::u32string& decomposed,
                                      const std::map<char32_t, std::u32string>& characters_of) {
  std::vector<std::u32string> texts = {decomposed};
  const auto others = characters_of.find(decomposed.back());
  if (others == characters_of.end()) return texts;
  const std::u32string front = decomposed.substr(0, decomposed.size() - 1);
  for (const char32_t last : others->second) texts.push_back(front + last);
  return texts;
}

/// Characters that Unicode has got since the version of the library that normalizes (15): rules of SentencePiece 0.2.3,
/// whose version is 17.
void add_newer(Rules& rules) {
  struct Run {
    char32_t first;
    std::u32string_view replacements;  // of `first` and those that follow it
  };
  static constexpr Run runs[] = {
      {0xA7F1, U"S"},
      {0x1CCD6, U"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"},
  };
  for (const Run& run : runs) {
    for (size_t i = 0; i < run.replacements.size(); ++i) {
      rules[{static_cast<char32_t>(run.first + i)}] = run.replacements.substr(i, 1);
    }
  }
  static constexpr std::pair<std::u32string_view, char32_t> composed[] = {
      {U"\U000105D2\u0307", 0x105C9},
      {U"\U000105DA\u0307", 0x105E4},
      {U"\U00011382\U000113C9", 0x11383},
      {U"\U00011384\U000113BB", 0x11385},
      {U"\U0001138B\U000113C2", 0x1138E},
      {U"\U00011390\U000113C9", 0x11391},
      {U"\U000113C2\U000113B8", 0x113C7},
      {U"\U000113C2\U000113C2", 0x113C5},
      {U"\U000113C2\U000113C9", 0x113C8},
      {U"\U0001611E\U0001611E", 0x16121},
      {U"\U0001611E\U0001611E\U0001611F", 0x16126},
      {U"\U0001611E\U0001611E\U00016120", 0x16128},
      {U"\U0001611E\U0001611F", 0x16123},
      {U"\U0001611E\U00016120", 0x16125},
      {U"\U0001611E\U00016129", 0x16122},
      {U"\U0001611E\U00016129\U0001611F", 0x16127},
      {U"\U00016129\U0001611F", 0x16124},
      {U"\U00016D63\U00016D67", 0x16D69},
      {U"\U00016D63\U00016D67\U00016D67", 0x16D6A},
      {U"\U00016D67\U00016D67", 0x16D68},
  };
  for (const auto& [text, character] : composed) rules[std::u32string(text)] = std::u32string(1, character);
}

Rules nfkc_rules() {
  Rules rules;
  std::set<std::u32string> decompositions;
  std::map<char32_t, std::u32string> characters_of;  // by the one other character that they decompose to
  for (char32_t c = 1; c < end_of_unicode; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    if (!may_decompose(c)) continue;
    const std::u32string composed = normalized({c}, UnicodeForm::nfkc);
    if (composed != std::u32string(1, c)) rules[{c}] = composed;
    const std::u32string decomposed = normalized({c}, UnicodeForm::nfkd);
    if (decomposed.size() == 1) {
      if (decomposed[0] != c) characters_of[decomposed[0]].push_back(c);
    } else {
      decompositions.insert(decomposed);
    }
  }
  for (const std::u32string& decomposed : decompositions) {
    const std::u32string composed = normalized(decomposed, UnicodeForm::nfkc);
    if (composed == decomposed) continue;
    for (const std::u32string& spelling : spellings(decomposed, characters_of)) {
      const bool tone_mark = spelling.back() == 0x340 || spelling.back() == 0x341;
      if (spelling != composed && !(tone_mark && lacks_tone_marks(composed[0]))) rules[spelling] = composed;
    }
  }
  add_newer(rules);
  return without_redundant(rules);
}

/// White space and control characters as SentencePiece's builder for machine translation has them.
void add_nmt(Rules& rules) {
  static constexpr std::u32string_view spaces =
      U"\t\n\f\r\u061C\u1680\u200B\u200C\u200E\u200F\u2028\u2029\u2581\uFEFF\uFFFD";
  for (const char32_t c : spaces) rules[{c}] = U" ";
  for (char32_t c = 1; c < 0x20; ++c) rules.try_emplace({c}, U"");
  for (const char32_t c : {0x7F, 0x8F, 0x9F}) rules[{c}] = U"";
  rules.erase({0xFF5E});  // the full-width tilde is another character than the tilde in Japanese
}

/// Simple case folding (CaseFolding.txt, status C and S).
char32_t fold_case(char32_t c) {
  if (c == 0x130) return c;        // folds to two characters
  if (c == 0xFB05) return 0xFB06;  // these three since Unicode 15.1
  if (c == 0x1FD3) return 0x390;
  if (c == 0x1FE3) return 0x3B0;
  const std::u32string folded = [&] {
    std::string text;
    append_utf8(c, text);
    utf8proc_uint8_t* mapped = nullptr;
    const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &mapped, UTF8PROC_CASEFOLD);
    std::u32string out;
    if (size > 0) out = to_utf32({reinterpret_cast<const char*>(mapped), static_cast<size_t>(size)});
    std::free(mapped);
    return out;
  }();
  if (folded.size() == 1) return folded[0];
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

Rules with_case_folded(Rules rules) {
  for (auto& [key, replacement] : rules) {
    for (char32_t& c : replacement) c = fold_case(c);
  }
  for (char32_t c = 1; c < end_of_unicode; ++c) {
    if ((c >= 0xD800 && c < 0xE000) || utf8proc_category(static_cast<utf8proc_int32_t>(c)) == UTF8PROC_CATEGORY_CN) {
      continue;
    }
    if (const char32_t folded = fold_case(c); folded != c) rules.try_emplace({c}, std::u32string(1, folded));
  }
  return without_redundant(rules);
}

}  // namespace

std::string make_charsmap(std::string_view name) {
  if (name == "identity") return {};
  const bool nmt = name.starts_with("nmt_");
  const bool fold = name.ends_with("_cf");
  std::string_view form = name.substr(nmt ? 4 : 0);
  if (fold) form.remove_suffix(3);
  if (form != "nfkc") {
    fail_usage(
        fmt::format("the normalization rule '{}' is not one of nmt_nfkc, nfkc, nmt_nfkc_cf, nfkc_cf, identity", name));
  }
  Rules rules = nfkc_rules();
  if (nmt) {
    add_nmt(rules);
    rules = without_redundant(rules);
  }
  if (fold) rules = with_case_folded(std::move(rules));
  CharsmapRules spelled;
  for (const auto& [key, replacement] : rules) spelled.emplace(to_utf8(key), to_utf8(replacement));
  return compile_charsmap(spelled);
}

}  // namespace sesame
