#include "sesame/text/split/mask_splitter.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/text/split/mask_splitter.cc"
#include <algorithm>
#include <bit>
#include <cstring>

#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/base/error.h"
#include "sesame/text/split/block_splitter.h"
#include "sesame/text/split/char_masks-inl.h"
#include "sesame/text/split/split_automaton.h"
#include "sesame/text/split/split_grammar.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

/// Writes `base` + the places of the bits and perhaps more behind them, up to 64 altogether. Returns their number.
HWY_INLINE size_t write_places(uint64_t bits, uint32_t base, uint32_t* out) {
  const auto count = static_cast<size_t>(std::popcount(bits));
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  const hn::CappedTag<uint32_t, 16> d;
  auto places = hn::Iota(d, base);
  for (int i = 0; i < 4; ++i) {
    const auto part = static_cast<uint16_t>(bits >> (16 * i));
    const auto mask = hn::LoadMaskBits(d, reinterpret_cast<const uint8_t*>(&part));
    hn::StoreU(hn::Compress(places, mask), d, out);
    out += std::popcount(part);
    places = hn::Add(places, hn::Set(d, 16));
  }
#else
  for (size_t written = 0; written < count; written += 4) {
    for (int i = 0; i < 4; ++i) {
      *out++ = base + static_cast<uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
  }
#endif
  return count;
}

constexpr size_t block = 64;
constexpr size_t look_behind_block = 3;             // the last bytes of a character, or of a contraction
constexpr size_t places_of_block = block + 1 + 15;  // one held back, and what write_places writes too much

/// The bytes of a text from a place on, in blocks that can be read whole.
class Blocks {
 public:
  Blocks(std::string_view text, size_t begin) : text_(text) {
    const size_t left = text.size() - begin;
    const size_t whole = left < block + look_behind_block ? 0 : (left - block - look_behind_block) / block + 1;
    tail_begin_ = begin + whole * block;
    std::memcpy(tail_, text.data() + tail_begin_, text.size() - tail_begin_);
  }

  [[nodiscard]] const uint8_t* at(size_t position) const {
    return position < tail_begin_ ? reinterpret_cast<const uint8_t*>(text_.data()) + position
                                  : tail_ + (position - tail_begin_);
  }

  /// All space behind the end of the text.
  template <bool chinese_apart>
  HWY_INLINE CharMasks classify(size_t position, const PropertyTable& kinds, Overhang& overhang) const {
    if (position < tail_begin_) return HWY_NAMESPACE::classify<chinese_apart>(at(position), kinds, overhang);
    CharMasks m;
    uint64_t text_bytes = 0;
    if (position < text_.size()) {
      m = HWY_NAMESPACE::classify<chinese_apart>(at(position), kinds, overhang);
      const size_t left = text_.size() - position;
      text_bytes = left < block ? (uint64_t{1} << left) - 1 : ~uint64_t{0};
    }
    for (uint64_t* mask : {&m.lower, &m.upper, &m.caseless, &m.number, &m.space, &m.other, &m.mark, &m.apart, &m.rest,
                           &m.line_break, &m.blank, &m.apostrophe, &m.slash}) {
      *mask &= text_bytes;
    }
    m.space |= ~text_bytes;
    m.start |= ~text_bytes;
    m.ascii |= ~text_bytes;
    return m;
  }

 private:
  std::string_view text_;
  size_t tail_begin_;
  uint8_t tail_[3 * block] = {};
};

/// One call of find_ends.
template <SplitGrammar grammar>
class Scan {
 public:
  Scan(SplitPattern pattern, std::string_view text, size_t begin, std::span<uint32_t> ends)
      : pattern_(pattern),
        kinds_(grammar.chinese_apart ? chinese_apart_kind_table() : char_kind_table()),
        text_(text),
        begin_(begin),
        ends_(ends),
        piece_(begin) {}

  size_t run() {
    while (piece_ < text_.size() && count_ < ends_.size()) {
      if constexpr (Bytes64::lanes == 1) {
        uncertain_end_ = text_.size();
        walk_exactly();
      } else if (scan_from_piece()) {
        walk_exactly();
      }
    }
    return count_;
  }

 private:
  /// Scans until the text or the room is at its end. Returns true where masks cannot tell what follows piece_.
  bool scan_from_piece() {
    const Blocks blocks(text_, piece_);
    BlockSplitter<grammar> splitter;
    Overhang overhang;
    size_t held = 0;
    size_t base = piece_;
    uint64_t not_begun = ~uint64_t{1};  // the piece that is known already
    CharMasks now = blocks.template classify<grammar.chinese_apart>(base, kinds_, overhang);
    while (base < text_.size()) {
      if (out_of_reach(base)) return false;
      const CharMasks next = blocks.template classify<grammar.chinese_apart>(base + block, kinds_, overhang);
      const bool held_before = splitter.holds();
      const auto found = splitter.split(now, next, blocks.at(base));
      if (found.uncertain) {
        uncertain_end_ = base + block;
        return true;
      }
      if (splitter.holds() && !held_before) held = base + static_cast<size_t>(splitter.held_bit());
      uint64_t begins = found.begins & not_begun;
      not_begun = ~uint64_t{0};
      const size_t left = text_.size() - base;
      if (left < block) begins &= (uint64_t{1} << left) - 1;
      if (!add(found.held, held, begins, base)) return false;
      now = next;
      base += block;
    }
    const bool cut_before_end = splitter.holds() && held < text_.size() && !grammar.end_is_one_piece;
    if (cut_before_end && !add_end(held)) return false;
    add_end(text_.size());
    return false;
  }

  /// Ends are 32 bits.
  bool out_of_reach(size_t base) {
    if (base - begin_ <= UINT32_MAX - 2 * block) return false;
    if (count_ == 0) fail("a text has a piece of 4 GiB that no place splits");
    ends_ = ends_.first(count_);
    return true;
  }

  /// Adds begins of pieces as ends of those before them. Returns whether there was room for all.
  HWY_INLINE bool add(bool with_held, size_t held, uint64_t begins, size_t base) {
    const auto relative = static_cast<uint32_t>(base - begin_);
    if (HWY_LIKELY(ends_.size() - count_ >= places_of_block)) {
      if (with_held) add_end(held);
      if (begins == 0) return true;
      count_ += write_places(begins, relative, ends_.data() + count_);
      piece_ = base + block - 1 - static_cast<size_t>(std::countl_zero(begins));
      return true;
    }
    if (with_held && !add_end(held)) return false;
    for (; begins != 0; begins &= begins - 1) {
      if (!add_end(base + static_cast<size_t>(std::countr_zero(begins)))) return false;
    }
    return true;
  }

  bool add_end(size_t end) {
    if (count_ == ends_.size()) return false;
    ends_[count_++] = static_cast<uint32_t>(end - begin_);
    piece_ = end;
    return true;
  }

  void walk_exactly() {
    const SplitAutomaton& exact = split_automaton(pattern_);
    while (piece_ < std::min(uncertain_end_, text_.size())) {
      const SplitAutomaton::Match match = exact.find(text_, piece_);
      if (out_of_reach(match.end)) return;
      if (match.begin > piece_ && !add_end(match.begin)) return;
      if (match.end > match.begin && !add_end(match.end)) return;
    }
  }

  SplitPattern pattern_;
  const PropertyTable& kinds_;
  std::string_view text_;
  size_t begin_;
  std::span<uint32_t> ends_;
  size_t count_ = 0;
  size_t piece_;  // where the last piece that is known begins
  size_t uncertain_end_ = 0;
};

template <SplitGrammar grammar>
size_t scan(SplitPattern pattern, std::string_view text, size_t begin, std::span<uint32_t> ends) {
  return Scan<grammar>(pattern, text, begin, ends).run();
}

size_t find_ends(SplitPattern pattern, std::string_view text, size_t begin, std::span<uint32_t> ends) {
  switch (pattern) {
    case SplitPattern::gpt2:
      return scan<gpt2_grammar>(pattern, text, begin, ends);
    case SplitPattern::cl100k:
      return scan<cl100k_grammar>(pattern, text, begin, ends);
    case SplitPattern::cl100k_tiktoken:
      return scan<cl100k_tiktoken_grammar>(pattern, text, begin, ends);
    case SplitPattern::qwen2:
      return scan<qwen2_grammar>(pattern, text, begin, ends);
    case SplitPattern::qwen3_5:
      return scan<qwen3_5_grammar>(pattern, text, begin, ends);
    case SplitPattern::nanochat:
      return scan<nanochat_grammar>(pattern, text, begin, ends);
    case SplitPattern::o200k:
      return scan<o200k_grammar>(pattern, text, begin, ends);
    case SplitPattern::tekken:
      return scan<tekken_grammar>(pattern, text, begin, ends);
    case SplitPattern::deepseek_v3:
      return scan<deepseek_v3_grammar>(pattern, text, begin, ends);
  }
  return 0;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {

HWY_EXPORT(find_ends);

size_t find_ends_by_masks(SplitPattern pattern, std::string_view text, size_t begin, std::span<uint32_t> ends) {
  return HWY_DYNAMIC_DISPATCH(find_ends)(pattern, text, begin, ends);
}

}  // namespace sesame
#endif
