#include "sesame/text/bpe/train/alphabet.h"

#include <algorithm>
#include <utility>

#include "sesame/text/bpe/train/symbol_text.h"
#include "sesame/text/unicode/unicode.h"

namespace sesame {
namespace {

constexpr uint32_t code_points = 0x110000;

struct Character {
  uint32_t code;
  uint64_t count;
};

template <typename Visit>
void for_each_code(std::string_view word, Visit visit) {
  for (size_t i = 0; i < word.size();) {
    const auto byte = static_cast<uint8_t>(word[i]);
    const Utf8Char c = byte < 0x80 ? Utf8Char{byte, 1, true} : decode_utf8(word, i);
    i += c.length;
    visit(c.code, i == word.size());
  }
}

std::vector<uint64_t> count_characters(std::span<const WordCount> words, ThreadPool& threads) {
  std::vector<std::vector<uint64_t>> counts(static_cast<size_t>(threads.threads()));
  const auto parts = static_cast<int64_t>(counts.size());
  threads.run(parts, [&](int64_t part, int) {
    std::vector<uint64_t>& own = counts[static_cast<size_t>(part)];
    own.resize(code_points);
    const size_t begin = words.size() * static_cast<size_t>(part) / counts.size();
    const size_t end = words.size() * static_cast<size_t>(part + 1) / counts.size();
    for (const WordCount& word : words.subspan(begin, end - begin)) {
      for_each_code(word.word, [&](uint32_t code, bool) { own[code] += word.count; });
    }
  });
  for (size_t part = 1; part < counts.size(); ++part) {
    for (size_t code = 0; code < code_points; ++code) counts[0][code] += counts[part][code];
  }
  return std::move(counts[0]);
}

/// The characters of the alphabet, by falling frequency; the initial ones first, in their order.
std::vector<Character> choose(const std::vector<uint64_t>& counts, const AlphabetRules& rules) {
  std::vector<Character> chosen;
  std::vector<bool> initial(code_points);
  for (const uint32_t code : rules.initial) {
    if (!initial[code]) chosen.push_back({code, counts[code]});
    initial[code] = true;
  }
  const auto first_seen = static_cast<std::ptrdiff_t>(chosen.size());
  uint64_t total = 0;
  uint64_t covered = 0;
  for (uint32_t code = 0; code < code_points; ++code) {
    total += counts[code];
    covered += initial[code] ? counts[code] : 0;
    if (counts[code] > 0 && !initial[code]) chosen.push_back({code, counts[code]});
  }
  std::sort(chosen.begin() + first_seen, chosen.end(), [&](const Character& a, const Character& b) {
    if (a.count != b.count) return a.count > b.count;
    return rules.by_frequency ? a.code > b.code : a.code < b.code;  // YouTokenToMe's order, and ours
  });
  size_t size = static_cast<size_t>(first_seen);
  for (; size < chosen.size(); ++size) {
    if (static_cast<double>(covered) >= rules.coverage * static_cast<double>(total)) break;
    covered += chosen[size].count;
  }
  chosen.resize(std::min<uint64_t>(size, rules.limit.value_or(size)));
  return chosen;
}

std::string utf8(uint32_t code) {
  std::string text;
  append_utf8(code, text);
  return text;
}

}  // namespace

Alphabet::Alphabet(std::span<const WordCount> words, const AlphabetRules& rules, TokenList& tokens, ThreadPool& threads)
    : rules_(rules),
      forms_mask_((rules.continuing_prefix.empty() ? 0 : continues) | (rules.last_suffix.empty() ? 0 : ends)),
      ids_(4),
      in_alphabet_(code_points) {
  std::vector<Character> alphabet = choose(count_characters(words, threads), rules);
  if (!rules.by_frequency) {
    std::sort(alphabet.begin(), alphabet.end(), [](const Character& a, const Character& b) { return a.code < b.code; });
  }
  ids_[0].assign(code_points, absent);
  for (const Character& character : alphabet) {
    in_alphabet_[character.code] = true;
    ids_[0][character.code] = static_cast<uint32_t>(tokens.add(utf8(character.code)));
  }
  if (forms_mask_ != 0) add_forms(words, tokens);
}

template <typename Visit>
void Alphabet::for_each_character(std::string_view word, Visit visit) const {
  bool first = true;
  for_each_code(word, [&](uint32_t code, bool last) {
    visit(code, ((first ? 0 : continues) | (last ? ends : 0)) & forms_mask_);
    first = false;
  });
}

void Alphabet::add_forms(std::span<const WordCount> words, TokenList& tokens) {
  for (std::vector<uint32_t>& ids : ids_) ids.resize(code_points, absent);
  std::vector<std::string_view> sorted;
  for (const WordCount& word : words) sorted.push_back(word.word);
  std::sort(sorted.begin(), sorted.end());
  for (const std::string_view word : sorted) {
    for_each_character(word, [&](uint32_t code, uint32_t form) {
      uint32_t& id = ids_[form][code];
      if (!in_alphabet_[code] || id != absent) return;
      std::string text = (form & continues) != 0 ? rules_.continuing_prefix : std::string();
      append_utf8(code, text);
      if ((form & ends) != 0) text += rules_.last_suffix;
      id = static_cast<uint32_t>(tokens.add(std::move(text)));
    });
  }
}

size_t Alphabet::symbolize(std::string_view word, uint32_t* symbols) const {
  uint32_t* next = symbols;
  for_each_character(word, [&](uint32_t code, uint32_t form) {
    const uint32_t id = ids_[form][code];
    if (id != absent) {
      *next++ = id;
    } else if (rules_.unknown_separates) {
      *next++ = SymbolText::end;
    }
  });
  return static_cast<size_t>(next - symbols);
}

}  // namespace sesame
