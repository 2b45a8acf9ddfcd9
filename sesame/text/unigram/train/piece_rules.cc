#include "sesame/text/unigram/train/piece_rules.h"

#include <algorithm>

#include "sesame/text/unicode/unicode_properties.h"
#include "sesame/text/unigram/train/training_text.h"

namespace sesame::unigram {
namespace {

constexpr uint8_t kAnyScript = 0xFF;
constexpr uint8_t kInheritedScript = 0xFE;

/// As in SentencePiece: Japanese is written in three scripts that count as one; what Unicode does not assign counts as
/// common; and four characters, whose script Unicode has changed, keep their old one.
uint8_t script_number(uint32_t code) {
  constexpr uint32_t kProlongedSoundMark = 0x30FC;
  constexpr uint32_t kArmenianFullStop = 0x589;
  constexpr uint32_t kArabicLetterMark = 0x61C;
  constexpr uint32_t kDevanagariGraveAccent = 0x953;
  constexpr uint32_t kDevanagariAcuteAccent = 0x954;
  if (code == kProlongedSoundMark) return static_cast<uint8_t>(Script::han);
  if (code == kArmenianFullStop || code == kArabicLetterMark) return static_cast<uint8_t>(Script::common);
  if (code == kDevanagariGraveAccent || code == kDevanagariAcuteAccent) return static_cast<uint8_t>(Script::devanagari);
  switch (const Script script = script_of(code)) {
    case Script::hiragana:
    case Script::katakana:
      return static_cast<uint8_t>(Script::han);
    case Script::unknown:
      return static_cast<uint8_t>(Script::common);
    case Script::inherited:
      return kInheritedScript;
    default:
      return static_cast<uint8_t>(script);
  }
}

bool is_digit(uint32_t code) { return (code >= '0' && code <= '9') || (code >= 0xFF10 && code <= 0xFF19); }

}  // namespace

PieceValidator::PieceValidator(const PieceRules& rules, std::span<const uint32_t> codes) : rules_(rules) {
  for (const uint32_t code : codes) {
    Letter letter;
    letter.digit = is_digit(code);
    letter.script = letter.digit && !rules.split_by_number ? kAnyScript : script_number(code);
    if (code == kSpace) letter.kind = space;
    if (code == SentenceWords::kEnd || code == kTab || code == ' ' || code == kUnknown) letter.kind = never;
    letters_.push_back(letter);
  }
}

bool PieceValidator::space_allowed(size_t position, size_t size) const noexcept {
  const bool at_end = position + 1 == size;
  if (rules_.treat_whitespace_as_suffix) return at_end || (!rules_.split_by_whitespace && position != 0);
  return position == 0 || (!rules_.split_by_whitespace && !at_end);
}

bool PieceValidator::valid(std::span<const uint32_t> letters) const noexcept {
  const size_t size = letters.size();
  if (size == 0 || size > static_cast<size_t>(rules_.max_sentencepiece_length)) return false;
  const auto kind_of = [&](uint32_t letter) { return letters_[letter].kind; };
  const bool spaces_anywhere =
      rules_.allow_whitespace_only_pieces &&
      std::all_of(letters.begin(), letters.end(), [&](uint32_t letter) { return kind_of(letter) == space; });
  uint8_t previous = kAnyScript;
  for (size_t i = 0; i < size; ++i) {
    const Letter& letter = letters_[letters[i]];
    if (letter.kind == never) return false;
    if (letter.kind == space) {
      if (!spaces_anywhere && !space_allowed(i, size)) return false;
      continue;
    }
    if (rules_.split_digits && letter.digit && size > 1) return false;
    const uint8_t script = letter.script == kInheritedScript ? previous : letter.script;
    if (rules_.split_by_unicode_script && script != kAnyScript && previous != kAnyScript && previous != script) {
      return false;
    }
    previous = script;
  }
  return true;
}

}  // namespace sesame::unigram
