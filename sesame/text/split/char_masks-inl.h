// Classification of 64 bytes of text. Included once per instruction set.

#if defined(SESAME_TEXT_SPLIT_CHAR_MASKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_TEXT_SPLIT_CHAR_MASKS_INL_H_
#undef SESAME_TEXT_SPLIT_CHAR_MASKS_INL_H_
#else
#define SESAME_TEXT_SPLIT_CHAR_MASKS_INL_H_
#endif

#include <bit>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "sesame/text/split/char_masks.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using ByteTag = hn::CappedTag<uint8_t, 64>;
using ByteVec = hn::VFromD<ByteTag>;

/// 64 bytes as vectors; comparisons give a bit for every byte.
class Bytes64 {
 public:
  static constexpr size_t lanes = hn::MaxLanes(ByteTag());
  static constexpr size_t vectors = 64 / lanes;

  HWY_INLINE explicit Bytes64(const uint8_t* bytes) : bytes_(bytes) {}

  /// A bit for every byte v for which `test(v)` is true.
  template <typename Test>
  HWY_INLINE uint64_t where(Test test) const {
    const ByteTag d;
    if constexpr (lanes == 1) {
      uint64_t bits = 0;
      for (size_t i = 0; i < 64; ++i) {
        bits |= uint64_t{hn::CountTrue(d, test(hn::LoadU(d, bytes_ + i))) != 0} << i;
      }
      return bits;
    } else {
      uint64_t bits = 0;
      for (size_t i = 0; i < vectors; ++i) {
        uint64_t part = 0;
        hn::StoreMaskBits(d, test(hn::LoadU(d, bytes_ + i * lanes)), reinterpret_cast<uint8_t*>(&part));
        bits |= part << (i * lanes % 64);
      }
      return bits;
    }
  }
  HWY_INLINE uint64_t equal(uint8_t value) const {
    return where([value](ByteVec v) { return hn::Eq(v, hn::Set(ByteTag(), value)); });
  }
  /// first <= byte < first + count
  HWY_INLINE uint64_t in_range(uint8_t first, uint8_t count) const {
    return where([first, count](ByteVec v) {
      const ByteTag d;
      return hn::Lt(hn::Sub(v, hn::Set(d, first)), hn::Set(d, count));
    });
  }

 private:
  const uint8_t* bytes_;
};

/// The bytes at the front of a block that belong to the last character of the block before it, for every kind.
struct Overhang {
  uint64_t bits[char_kinds] = {};
  uint64_t any = 0;
};

/// Adds the characters outside of ASCII whose first bytes are in `pending` to `kinds`; continuation bytes of characters
/// are taken out of `pending` on the way. At least 67 bytes can be read at `bytes`.
HWY_INLINE void add_characters(const uint8_t* bytes, uint64_t pending, const PropertyTable& table, uint64_t* kinds,
                               uint64_t& start, Overhang& overhang) {
  while (pending != 0) {
    const int i = std::countr_zero(pending);
    const uint8_t* at = bytes + i;
    const uint32_t first = at[0];
    uint32_t code = 0;
    int length = 1;
    const auto tail = [&](int k) { return (at[k] & 0xC0) == 0x80; };
    if (first < 0xE0) {
      if (first >= 0xC2 && tail(1)) {
        code = (first & 0x1F) << 6 | (at[1] & 0x3Fu);
        length = 2;
      }
    } else if (first < 0xF0) {
      const uint32_t value = (first & 0x0F) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
      if (tail(1) && tail(2) && value >= 0x800 && (value < 0xD800 || value > 0xDFFF)) {
        code = value;
        length = 3;
      }
    } else if (first <= 0xF4) {
      const uint32_t value = (first & 0x07) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3Fu);
      if (tail(1) && tail(2) && tail(3) && value >= 0x10000 && value <= 0x10FFFF) {
        code = value;
        length = 4;
      }
    }
    // What is not UTF-8 keeps code 0, a control character: other or rest.
    const uint8_t kind = table.of(code);
    const uint64_t ones = (uint64_t{1} << length) - 1;
    kinds[kind] |= ones << i;
    start |= uint64_t{1} << i;
    pending &= ~(ones << i);
    if (i + length > 64) {
      overhang.any = ones >> (64 - i);
      overhang.bits[kind] = overhang.any;
    }
  }
}

/// What is not ASCII in a block. Many ideographs, Hangul and the Russian letters are told by their bytes, the rest one
/// by one.
template <bool chinese_apart>
HWY_INLINE void add_non_ascii(const uint8_t* bytes, uint64_t non_ascii, const PropertyTable& table, CharMasks& m,
                              Overhang& overhang) {
  uint64_t kinds[char_kinds] = {};
  for (int k = 0; k < char_kinds; ++k) kinds[k] = overhang.bits[k];
  uint64_t pending = non_ascii & ~overhang.any;
  uint64_t start = 0;
  overhang = Overhang();
  const Bytes64 block(bytes);
  const uint64_t tail = block.in_range(0x80, 0x40);
  // U+5000..U+9FFF and U+B000..U+CFFF are Lo, all of them; the former are apart to U+9FA5.
  const uint64_t whole = pending & (tail >> 1) & (tail >> 2);
  uint64_t ideographs = block.in_range(0xE5, chinese_apart ? 4 : 5) & whole;
  uint64_t hangul = block.in_range(0xEB, 2) & whole;
  start |= ideographs | hangul;
  ideographs |= ideographs << 1 | ideographs << 2;
  hangul |= hangul << 1 | hangul << 2;
  kinds[static_cast<int>(chinese_apart ? CharKind::apart : CharKind::caseless)] |= ideographs;
  kinds[static_cast<int>(CharKind::caseless)] |= hangul;
  pending &= ~(ideographs | hangul);
  // U+0400..U+042F are Lu, U+0430..U+045F Ll.
  const uint64_t russian = block.in_range(0xD0, 2) & pending & (tail >> 1);
  if (russian != 0) {
    const uint64_t d0 = block.equal(0xD0) & russian;
    const uint64_t late = block.in_range(0xB0, 0x10) >> 1;
    const uint64_t early = block.in_range(0x80, 0x20) >> 1;
    uint64_t upper = d0 & ~late;
    uint64_t lower = (d0 & late) | (russian & ~d0 & early);
    start |= upper | lower;
    upper |= upper << 1;
    lower |= lower << 1;
    kinds[static_cast<int>(chinese_apart ? CharKind::caseless : CharKind::upper)] |= upper;
    kinds[static_cast<int>(chinese_apart ? CharKind::caseless : CharKind::lower)] |= lower;
    pending &= ~(upper | lower);
  }
  add_characters(bytes, pending, table, kinds, start, overhang);
  m.other |= kinds[static_cast<int>(CharKind::other)];
  m.lower |= kinds[static_cast<int>(CharKind::lower)];
  m.upper |= kinds[static_cast<int>(CharKind::upper)];
  m.caseless |= kinds[static_cast<int>(CharKind::caseless)];
  m.number |= kinds[static_cast<int>(CharKind::number)];
  m.space |= kinds[static_cast<int>(CharKind::space)];
  m.mark |= kinds[static_cast<int>(CharKind::mark)];
  m.apart |= kinds[static_cast<int>(CharKind::apart)];
  m.rest |= kinds[static_cast<int>(CharKind::rest)];
  m.start |= start;
}

/// The characters of the 64 bytes at `bytes`; 3 more can be read. `overhang` is of the block before, then of this one.
template <bool chinese_apart>
HWY_INLINE CharMasks classify(const uint8_t* bytes, const PropertyTable& table, Overhang& overhang) {
  const Bytes64 block(bytes);
  CharMasks m;
  m.lower = block.in_range('a', 26);
  m.upper = block.in_range('A', 26);
  m.number = block.in_range('0', 10);
  m.blank = block.equal(' ');
  m.line_break = block.equal('\n') | block.equal('\r');
  m.space = m.blank | block.in_range('\t', 5);
  m.apostrophe = block.equal('\'');
  m.slash = block.equal('/');
  const uint64_t non_ascii = block.in_range(0x80, 0x80);
  m.ascii = m.start = ~non_ascii;
  m.other = ~(m.lower | m.upper | m.number | m.space | non_ascii);
  if constexpr (chinese_apart) {
    m.rest = (block.in_range(0, 0x20) | block.equal(0x7F)) & ~m.space;
    m.other &= ~m.rest;
  }
  if (non_ascii != 0) add_non_ascii<chinese_apart>(bytes, non_ascii, table, m, overhang);
  return m;
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_TEXT_SPLIT_CHAR_MASKS_INL_H_
