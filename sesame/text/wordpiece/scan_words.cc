#include "sesame/text/wordpiece/scan_words.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "sesame/text/unicode/unicode.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/text/wordpiece/scan_words.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using ByteTag = hn::CappedTag<uint8_t, 64>;

/// A bit for each of 64 bytes.
struct Masks {
  uint64_t other;  // no ASCII, or dropped
  uint64_t space;
  uint64_t alone;
};

/// One call of scan_words.
class WordScanner {
 public:
  WordScanner(const BertCharacters& characters, WordScan& scan) : characters_(characters), scan_(scan) {}

  HWY_INLINE void run() {
    keep_begun_word();
    const size_t chunk = std::min(max_chunk, static_cast<size_t>(scan_.end - text_));
    make_room(3 * chunk);  // no character becomes more than three times as long
    const char* const stop = text_ + chunk;
    while (text_ < stop && begun_ + 72 < WordScan::max_words) {
      if (!take_ascii() && !take_characters(stop)) break;
    }
    if (text_ == scan_.end && in_word_) end_word();
    scan_.text = text_;
    scan_.size = size_;
    scan_.begun = begun_;
    scan_.ended = ended_;
  }

 private:
  using Entry = BertCharacters::Entry;
  static constexpr size_t max_chunk = 8192;

  HWY_INLINE void keep_begun_word() {
    in_word_ = scan_.begun > scan_.ended;
    if (!in_word_) return;
    const size_t begin = scan_.begins[scan_.ended];
    size_ = scan_.size - begin;
    if (begin > 0) std::memmove(scan_.bytes.data(), scan_.bytes.data() + begin, size_);
    scan_.begins[0] = 0;
    begun_ = 1;
  }

  /// Room for so many bytes, and for blocks that are written and read beyond them.
  void make_room(size_t bytes) {
    const size_t needed = size_ + bytes + 128;
    if (scan_.bytes.size() < needed) scan_.bytes.resize(needed + needed / 2);
    out_ = scan_.bytes.data();
  }

  HWY_INLINE void begin_word() {
    scan_.begins[begun_++] = static_cast<uint32_t>(size_);
    in_word_ = true;
  }
  HWY_INLINE void end_word() {
    scan_.ends[ended_++] = static_cast<uint32_t>(size_);
    in_word_ = false;
  }

  HWY_INLINE Masks classify(const uint8_t* from, uint8_t* to) const {
    const ByteTag d;
    constexpr size_t lanes = HWY_LANES(uint8_t) < 64 ? HWY_LANES(uint8_t) : 64;
    static constexpr uint8_t row_bits[16] = {1, 2, 4, 8, 16, 32, 64, 128};
    const auto rows = hn::LoadDup128(d, row_bits);
    const auto spaces = hn::LoadDup128(d, characters_.ascii().space.data());
    const auto alones = hn::LoadDup128(d, characters_.ascii().alone.data());
    const auto dropped = hn::LoadDup128(d, characters_.ascii().dropped.data());
    const auto low_bits = hn::Set(d, 15);
    const auto case_bit = hn::Set(d, characters_.lowercase() ? 'a' - 'A' : 0);
    const auto zero = hn::Zero(d);
    uint8_t other[8];
    uint8_t space[8];
    uint8_t alone[8];
    for (size_t i = 0; i < 64; i += lanes) {
      const auto v = hn::LoadU(d, from + i);
      const auto low = hn::And(v, low_bits);
      const auto row = hn::TableLookupBytes(rows, hn::ShiftRight<4>(v));  // 0 where the byte is no ASCII
      const auto is = [&](auto table) { return hn::Ne(hn::And(hn::TableLookupBytes(table, low), row), zero); };
      hn::StoreMaskBits(d, hn::Or(hn::Eq(row, zero), is(dropped)), other + i / 8);
      hn::StoreMaskBits(d, is(spaces), space + i / 8);
      hn::StoreMaskBits(d, is(alones), alone + i / 8);
      const auto upper = hn::And(hn::Gt(v, hn::Set(d, 'A' - 1)), hn::Lt(v, hn::Set(d, 'Z' + 1)));
      hn::StoreU(hn::Or(v, hn::IfThenElseZero(upper, case_bit)), d, to + i);
    }
    return {load_bits(other), load_bits(space), load_bits(alone)};
  }

  static HWY_INLINE uint64_t load_bits(const uint8_t* bytes) {
    uint64_t bits;
    std::memcpy(&bits, bytes, sizeof bits);
    return bits;
  }

  /// Takes up to 64 ASCII characters; false where there is none, or the next one is dropped.
  HWY_INLINE bool take_ascii() {
    const auto left = static_cast<size_t>(scan_.end - text_);
    const auto* from = reinterpret_cast<const uint8_t*>(text_);
    uint8_t last_block[64];
    if (left < 64) {
      std::memset(last_block, 0x80, sizeof last_block);
      std::memcpy(last_block, from, left);
      from = last_block;
    }
    const Masks masks = classify(from, reinterpret_cast<uint8_t*>(out_ + size_));
    if ((masks.other & 1) != 0) return false;
    const auto length = static_cast<uint32_t>(std::countr_zero(masks.other));
    const uint64_t taken = length == 64 ? ~uint64_t{0} : (uint64_t{1} << length) - 1;
    const uint64_t alone = masks.alone & taken;
    const uint64_t word = ~(masks.space | masks.alone) & taken;
    const uint64_t after_word = (word << 1) | (in_word_ ? 1 : 0);
    begun_ = store_positions((word & ~after_word) | alone, scan_.begins.data(), begun_);
    ended_ = store_positions(((after_word & ~word) | (alone << 1)) & taken, scan_.ends.data(), ended_);
    const uint64_t last = uint64_t{1} << (length - 1);
    in_word_ = (word & last) != 0;
    size_ += length;
    text_ += length;
    scan_.ends[ended_] = static_cast<uint32_t>(size_);
    ended_ += (alone & last) != 0 ? 1 : 0;
    return true;
  }

  /// Appends size_ + the places of the bits.
  HWY_INLINE size_t store_positions(uint64_t bits, uint32_t* to, size_t count) const {
    const size_t total = count + static_cast<size_t>(std::popcount(bits));
    while (bits != 0) {
      for (int i = 0; i < 4; ++i) {
        // Behind the last bit this writes what the next call overwrites.
        to[count++] = static_cast<uint32_t>(size_) + static_cast<uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
      }
    }
    return total;
  }

  struct Decoded {
    uint32_t code;
    uint32_t length;
    bool valid;
  };
  HWY_INLINE Decoded decode() const {
    const auto left = static_cast<size_t>(scan_.end - text_);
    const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text_[i])); };
    const uint32_t first = byte(0);
    if (first < 0x80) return {first, 1, true};
    if (left >= 3 && (first & 0xF0) == 0xE0 && (byte(1) & 0xC0) == 0x80 && (byte(2) & 0xC0) == 0x80) {
      const uint32_t code = ((first & 0x0F) << 12) | ((byte(1) & 0x3F) << 6) | (byte(2) & 0x3F);
      if (code >= 0x800 && (code < 0xD800 || code > 0xDFFF)) return {code, 3, true};
    }
    if (left >= 2 && first >= 0xC2 && first < 0xE0 && (byte(1) & 0xC0) == 0x80) {
      return {((first & 0x1F) << 6) | (byte(1) & 0x3F), 2, true};
    }
    if ((first & 0xF8) != 0xF0) return {0, 1, false};
    const Utf8Char c = decode_utf8({text_, left}, 0);
    return {c.code, c.length, c.valid};
  }

  /// Takes characters one by one until several ASCII ones are next; false where bytes may join.
  HWY_INLINE bool take_characters(const char* stop) {
    do {
      const Decoded c = decode();
      if (c.valid) {
        take(characters_.of(c.code), c);
      } else if (!take_raw_byte()) {
        return false;
      }
    } while (text_ < stop && begun_ + 8 < WordScan::max_words && other_is_near());
    return true;
  }

  HWY_INLINE bool take_raw_byte() {
    const bool continues = (static_cast<uint8_t>(*text_) & 0xC0) == 0x80;
    if (continues && in_word_ && text_ != scan_.raw_end && begun_at_end({out_, size_}) > 0) {
      scan_.joins = true;
      return false;
    }
    if (!in_word_) begin_word();
    out_[size_++] = *text_++;
    scan_.raw_end = text_;
    return true;
  }

  HWY_INLINE bool other_is_near() const {
    if (scan_.end - text_ < 4) return true;
    uint32_t bytes;
    std::memcpy(&bytes, text_, sizeof bytes);
    return (bytes & 0x80808080u) != 0;
  }

  HWY_INLINE void take(Entry entry, Decoded c) {
    switch (entry.kind()) {
      case BertCharacters::in_word:
        if (entry.length() > 0) {
          if (!in_word_) begin_word();
          copy(entry, c);
        }
        break;
      case BertCharacters::alone:
        if (in_word_) end_word();
        begin_word();
        copy(entry, c);
        end_word();
        break;
      case BertCharacters::space:
        if (in_word_) end_word();
        break;
      case BertCharacters::spelled:
        for (uint32_t i = 0; i < characters_.spelling_size(entry); ++i) put(characters_.spelling_begin(entry)[i]);
        break;
      case BertCharacters::marked:
        return take_marks();
    }
    text_ += c.length;
  }

  HWY_INLINE void copy(Entry entry, Decoded c) {
    if (entry.length() != BertCharacters::as_it_is) {
      const uint32_t bytes = entry.bytes();
      std::memcpy(out_ + size_, &bytes, sizeof bytes);
      size_ += entry.length();
    } else {
      if (scan_.end - text_ >= 4) {
        std::memcpy(out_ + size_, text_, 4);
      } else {
        std::memcpy(out_ + size_, text_, c.length);
      }
      size_ += c.length;
    }
  }

  void put(BertCharacters::Spelled character) {
    if (character.kind != BertCharacters::in_word && in_word_) end_word();
    if (character.kind == BertCharacters::space) return;
    if (!in_word_) begin_word();
    std::string utf8;
    append_utf8(character.code, utf8);
    std::memcpy(out_ + size_, utf8.data(), utf8.size());
    size_ += utf8.size();
    if (character.kind == BertCharacters::alone) end_word();
  }

  /// Takes a run of marks, which NFD puts in order before any are dropped.
  void take_marks() {
    std::u32string run;
    while (text_ < scan_.end) {
      const Decoded c = decode();
      if (!c.valid || (!run.empty() && !characters_.continues_marks(c.code))) break;
      run += static_cast<char32_t>(c.code);
      text_ += c.length;
    }
    const auto normalized = characters_.normalize(run);
    make_room(4 * normalized.size() + 3 * max_chunk);
    for (const BertCharacters::Spelled& character : normalized) put(character);
  }

  const BertCharacters& characters_;
  WordScan& scan_;
  const char* text_ = scan_.text;
  char* out_ = nullptr;
  size_t size_ = 0;
  size_t begun_ = 0;
  size_t ended_ = 0;
  bool in_word_ = false;
};

void scan_words(const BertCharacters& characters, WordScan& scan) { WordScanner(characters, scan).run(); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {

HWY_EXPORT(scan_words);

void scan_words(const BertCharacters& characters, WordScan& scan) {
  HWY_DYNAMIC_DISPATCH(scan_words)(characters, scan);
}

}  // namespace sesame
#endif
