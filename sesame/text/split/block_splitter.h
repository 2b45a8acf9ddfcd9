#pragma once

#include <bit>
#include <cstdint>

#include "hwy/base.h"
#include "sesame/text/split/char_masks.h"
#include "sesame/text/split/split_grammar.h"

namespace sesame {

/// The bytes of a contraction with its apostrophe, or 0 where `first` and `second` behind the apostrophe make none.
template <SplitGrammar grammar>
[[nodiscard]] constexpr int contraction_length(uint8_t first, uint8_t second) {
  if constexpr (grammar.contractions != SplitGrammar::Contractions::lower_case) {
    if (first == 0xC5 && second == 0xBF) return 3;  // U+017F folds to s
    if (first >= 'A' && first <= 'Z') first += 'a' - 'A';
    if (second >= 'A' && second <= 'Z') second += 'a' - 'A';
  }
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  return first == 'l' && second == 'l' ? 3 : 0;
}

/// Where the pieces of a text begin, 64 bytes at a time, by arithmetic on the masks of neighbouring blocks. A text
/// begins where a piece does. The object is what one block leaves for the next.
template <SplitGrammar grammar>
class BlockSplitter {
 public:
  struct Found {
    uint64_t begins = 0;  // a bit for every byte where a piece begins
    /// Whether the place that was held back is the begin of a piece, too; it lies before those of `begins`.
    bool held = false;
    /// Masks cannot tell; neither the rest of this result nor the object is of further use.
    bool uncertain = false;
  };

  /// The next block: its masks, those of the block behind it (all space behind the end of the text), and its bytes, 2
  /// more of which can be read.
  [[nodiscard]] HWY_INLINE Found split(const CharMasks& now, const CharMasks& next, const uint8_t* bytes) {
    Found found;
    Masks m;
    m.letter = now.letters() | (grammar.words_have_marks ? now.mark : 0);
    m.number = now.number;
    m.other = now.other | (grammar.words_have_marks || grammar.words_split_at_case ? 0 : now.mark);
    m.blank = now.blank;
    if constexpr (grammar.line_breaks()) m.line_end = line_ends(now.line_break, m.other);
    m.space = now.space & ~m.line_end;
    m.loose = grammar.line_breaks() ? m.space & ~now.line_break : m.space;
    m.line_break = now.line_break & ~m.line_end;
    m.lower = now.lower;
    m.caseless = now.caseless;
    m.apart = now.apart;
    found.uncertain = is_uncertain(now, m);

    const uint64_t letters = m.letter & ~shifted(m.letter, before_.letter);
    const uint64_t numbers = m.number & ~shifted(m.number, before_.number);
    const uint64_t others = m.other & ~shifted(m.other, before_.other);
    const uint64_t spaces = m.space & ~shifted(m.space, before_.space);
    const uint64_t aparts = now.apart & ~shifted(now.apart, before_.apart);
    const uint64_t behind_blank = shifted(m.blank, before_.blank);

    uint64_t inside = inside_;
    uint64_t after = after_;
    uint64_t apostrophes = 0;
    if constexpr (grammar.contractions != SplitGrammar::Contractions::none) {
      inside_ = after_ = 0;
      const uint64_t candidates =
          now.apostrophe & others &
          (grammar.contractions == SplitGrammar::Contractions::of_words ? shifted(m.letter, before_.letter)
                                                                        : ~behind_blank);
      if (candidates != 0) apostrophes = contractions(candidates, bytes, inside, after);
    }
    uint64_t joined = 0;
    uint64_t behind_led_ascii = 0;
    if constexpr (grammar.only_blank_leads) {
      joined = (letters | numbers | others) & behind_blank;
    } else {
      uint64_t leads = others & ~behind_blank & ~apostrophes;
      if constexpr (grammar.chinese_apart) leads &= now.ascii;
      uint64_t led = behind_leads(leads, now.start);
      if constexpr (grammar.chinese_apart) {
        led &= now.lower | now.upper;
        behind_led_ascii = ends_of_led_ascii(led, now);
      }
      joined = (letters & (led | shifted(m.loose, before_.loose))) | (others & behind_blank);
    }
    found.begins = ((letters | numbers | others | spaces | aparts) & ~joined) | last_spaces(now, next, m.loose, bytes) |
                   behind_led_ascii;
    if constexpr (grammar.digits == 1) found.begins |= now.number & now.start;
    if constexpr (grammar.digits > 1) {
      m.number_start = now.number & now.start;
      m.wide_number = now.number & ~now.ascii;
      m.group = (m.wide_number | before_.wide_number) == 0 ? number_groups(m.number, numbers)
                                                           : wide_number_groups(m, before_, numbers);
      found.begins |= m.group;
    }
    if constexpr (grammar.words_split_at_case) split_at_case(now, next, m, after, found);
    found.begins = (found.begins & ~inside) | after;
    if constexpr (grammar.line_breaks()) cut_behind_line_breaks(m, next, found);
    before_ = m;
    return found;
  }

  /// Whether a place may yet be the begin of a piece: behind a line break in white space that fills blocks. The place
  /// is bit held_bit() of the block whose split() began to hold.
  [[nodiscard]] bool holds() const { return holds_; }
  [[nodiscard]] int held_bit() const { return held_bit_; }

 private:
  struct Masks {
    uint64_t letter = 0;
    uint64_t number = 0;
    uint64_t other = 0;
    uint64_t line_end = 0;    // line breaks that belong to the others before them
    uint64_t space = 0;       // without line ends
    uint64_t line_break = 0;  // without line ends
    uint64_t loose = 0;       // white space that may stand before a word: no line breaks, but for gpt2
    uint64_t blank = 0;
    uint64_t lower = 0;
    uint64_t caseless = 0;
    uint64_t apart = 0;
    uint64_t group = 0;  // the first digits of groups
    uint64_t number_start = 0;
    uint64_t wide_number = 0;  // not ASCII
  };

  /// Which bytes stand behind one of `now`.
  [[nodiscard]] static uint64_t shifted(uint64_t now, uint64_t before) { return now << 1 | before >> 63; }

  /// The runs of line breaks that stand behind others: an addition carries through them.
  [[nodiscard]] uint64_t line_ends(uint64_t line_break, uint64_t other) const {
    const uint64_t first = line_break & (shifted(other, before_.other) | before_.line_end >> 63);
    return line_break & ~(line_break + first);
  }

  [[nodiscard]] bool is_uncertain(const CharMasks& now, const Masks& m) const {
    bool uncertain = false;
    if constexpr (grammar.words_split_at_case) uncertain = now.mark != 0;
    if constexpr (grammar.chinese_apart) uncertain = now.rest != 0;
    if constexpr (grammar.slash_after_others) {
      uncertain = uncertain || (now.slash & shifted(m.line_end, before_.line_end)) != 0;
    }
    return uncertain;
  }

  /// Marks contractions: no piece begins `inside`, one does `after`. Returns their apostrophes.
  uint64_t contractions(uint64_t candidates, const uint8_t* bytes, uint64_t& inside, uint64_t& after) {
    constexpr bool of_words = grammar.contractions == SplitGrammar::Contractions::of_words;
    uint64_t apostrophes = 0;
    for (; candidates != 0; candidates &= candidates - 1) {
      const int i = std::countr_zero(candidates);
      const int length = contraction_length<grammar>(bytes[i + 1], bytes[i + 2]);
      // Behind a contraction no other one belongs to the same word.
      if (length == 0 || (of_words && (after >> i & 1) != 0)) continue;
      apostrophes |= uint64_t{1} << i;
      const uint64_t covered = (uint64_t{1} << length) - (of_words ? 1 : 2);
      inside |= covered << i;
      if (i > 0) inside_ |= covered >> 1 >> (63 - i);
      if (i + length < 64) {
        after |= uint64_t{1} << (i + length);
      } else {
        after_ |= uint64_t{1} << (i + length - 64);
      }
    }
    return apostrophes;
  }

  /// The bytes behind characters that begin at `leads`.
  [[nodiscard]] uint64_t behind_leads(uint64_t leads, uint64_t start) {
    const uint64_t tails = ~start;
    const uint64_t first = leads << 1 | (lead_reaches_ ? 1 : 0);
    const uint64_t sum = first + tails;
    lead_reaches_ = leads >> 63 != 0 || sum < first;
    return sum & start;
  }

  /// Letters outside of ASCII behind ASCII ones that an ASCII punctuation mark leads: its word ends there.
  [[nodiscard]] uint64_t ends_of_led_ascii(uint64_t led, const CharMasks& now) {
    const uint64_t ascii = now.lower | now.upper;
    const uint64_t first = led | (led_ascii_reaches_ ? 1 : 0);
    const uint64_t sum = ascii + first;
    led_ascii_reaches_ = sum < ascii;
    return sum & ~ascii & (now.caseless | now.mark);
  }

  /// The last characters of white space that something else follows, which the run before them leaves alone.
  [[nodiscard]] static uint64_t last_spaces(const CharMasks& now, const CharMasks& next, uint64_t loose,
                                            const uint8_t* bytes) {
    const uint64_t leave = now.space | now.apart | (grammar.chinese_apart ? now.number : 0);
    const uint64_t next_leave = next.space | next.apart | (grammar.chinese_apart ? next.number : 0);
    uint64_t last = loose & now.ascii & ~(leave >> 1 | next_leave << 63);
    for (uint64_t wide = loose & now.start & ~now.ascii; wide != 0; wide &= wide - 1) {
      const int i = std::countr_zero(wide);
      const int end = i + (bytes[i] < 0xE0 ? 2 : 3);
      const uint64_t followed = end < 64 ? leave >> end : next_leave >> (end - 64);
      last |= (~followed & 1) << i;
    }
    return last;
  }

  [[nodiscard]] uint64_t number_groups(uint64_t number, uint64_t begins) const {
    constexpr int digits = grammar.digits;
    uint64_t long_runs = number;  // the bytes with `digits` numbers before them
    for (int k = 1; k <= digits; ++k) long_runs &= number << k | before_.number >> (64 - k);
    uint64_t groups = begins;
    if (long_runs == 0) return groups;
    for (uint64_t more = 1; more != 0; groups |= more) {
      more = (groups << digits | before_.group >> (64 - digits)) & long_runs & ~groups;
    }
    return groups;
  }

  /// The same where not every number is one byte.
  [[nodiscard]] static uint64_t wide_number_groups(const Masks& m, const Masks& before, uint64_t begins) {
    const int last_group = 63 - std::countl_zero(before.group | 1);
    int in_group = before.number >> 63 != 0 ? std::popcount(before.number_start >> last_group) : 0;
    uint64_t groups = 0;
    for (uint64_t left = m.number_start; left != 0; left &= left - 1) {
      const int i = std::countr_zero(left);
      if ((begins >> i & 1) != 0 || in_group == grammar.digits) in_group = 0;
      if (in_group++ == 0) groups |= uint64_t{1} << i;
    }
    return groups;
  }

  /// `\s*[\r\n]+`: white space is cut behind its last line break. Whether a line break is the last one shows where the
  /// white space behind it ends.
  void cut_behind_line_breaks(const Masks& m, const CharMasks& next, Found& found) {
    const uint64_t candidates = m.loose & shifted(m.line_break, before_.line_break);
    if (candidates == 0 && !holds_) return;
    const uint64_t next_loose = next.space & ~next.line_break;
    const int next_run = std::countr_one(next_loose);
    const bool next_breaks = next_run < 64 && (next.line_break >> next_run & 1) != 0;
    if (holds_) {
      // The block is loose space altogether, or nothing would have been held.
      holds_ = next_run == 64;
      found.held = !holds_ && !next_breaks;
      return;
    }
    for (uint64_t left = candidates; left != 0; left &= left - 1) {
      const int i = std::countr_zero(left);
      const int end = i + std::countr_one(m.loose >> i);
      if (end < 64) {
        if ((m.line_break >> end & 1) == 0) found.begins |= uint64_t{1} << i;
      } else if (next_run == 64) {
        holds_ = true;
        held_bit_ = i;
      } else if (!next_breaks) {
        found.begins |= uint64_t{1} << i;
      }
    }
  }

  /// o200k: a word ends before an upper case letter behind a lower case one; behind a letter without case only where
  /// no lower case follows, or where lower case stands before the letters without case.
  void split_at_case(const CharMasks& now, const CharMasks& next, const Masks& m, uint64_t after, Found& found) {
    found.begins |= now.upper & shifted(m.lower, before_.lower);
    // A contraction ends in lower case that is not of the same word.
    if ((after & m.caseless) != 0) found.uncertain = true;
    for (uint64_t left = now.upper & shifted(m.caseless, before_.caseless); left != 0; left &= left - 1) {
      const int i = std::countr_zero(left);
      const uint64_t below = (uint64_t{1} << i) - 1;
      const uint64_t not_caseless = ~m.caseless & below;
      const bool behind_lower =
          not_caseless != 0 ? (m.lower >> (63 - std::countl_zero(not_caseless)) & 1) != 0 : caseless_behind_lower_;
      const int end = i + std::countr_one(now.upper >> i);
      bool word_goes_on = false;
      if (end < 64) {
        word_goes_on = (m.letter >> end & 1) != 0;
      } else {
        const int next_end = std::countr_one(next.upper);
        if (next_end == 64 || (next.mark >> next_end & 1) != 0) {
          found.uncertain = true;
        } else {
          word_goes_on = (next.letters() >> next_end & 1) != 0;
        }
      }
      if (behind_lower || !word_goes_on) found.begins |= uint64_t{1} << i;
    }
    const int last = std::countl_one(m.caseless);
    if (last < 64) caseless_behind_lower_ = (m.lower >> (63 - last) & 1) != 0;
  }

  Masks before_;
  uint64_t inside_ = 0;  // of contractions that reach into the next block
  uint64_t after_ = 0;
  bool lead_reaches_ = false;       // the byte behind a lead is in the next block, or the lead goes on there
  bool led_ascii_reaches_ = false;  // ASCII letters behind an ASCII punctuation mark reach the end of the block
  bool caseless_behind_lower_ = false;
  bool holds_ = false;
  int held_bit_ = 0;
};

}  // namespace sesame
