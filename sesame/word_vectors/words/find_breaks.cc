#include "sesame/word_vectors/words/find_breaks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/word_vectors/words/find_breaks.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using ByteTag = hn::CappedTag<uint8_t, 64>;

bool is_break(char c) { return c == ' ' || c == '\t' || c == '\n'; }

void find_breaks(const char* text, size_t size, uint64_t* breaks) {
  const ByteTag d;
  const size_t lanes = hn::Lanes(d);
  const auto* bytes = reinterpret_cast<const uint8_t*>(text);
  auto* bits = reinterpret_cast<uint8_t*>(breaks);
  const auto space = hn::Set(d, ' ');
  const auto tab = hn::Set(d, '\t');
  const auto line_break = hn::Set(d, '\n');
  const size_t in_vectors = lanes % 8 == 0 ? size / lanes * lanes : 0;  // one lane only on the scalar target
  size_t i = 0;
  for (; i < in_vectors; i += lanes) {
    const auto v = hn::LoadU(d, bytes + i);
    const auto found = hn::Or(hn::Or(hn::Eq(v, space), hn::Eq(v, tab)), hn::Eq(v, line_break));
    hn::StoreMaskBits(d, found, bits + i / 8);
  }
  for (size_t byte = i / 8; byte < (size + 63) / 64 * 8; ++byte) bits[byte] = 0;
  for (; i < size; ++i) {
    if (is_break(text[i])) breaks[i / 64] |= uint64_t{1} << (i % 64);
  }
}

size_t lower_ascii(const char* text, size_t size, char* out) {
  const ByteTag d;
  const size_t lanes = hn::Lanes(d);
  const auto* from = reinterpret_cast<const uint8_t*>(text);
  auto* to = reinterpret_cast<uint8_t*>(out);
  const auto before_a = hn::Set(d, 'A' - 1);
  const auto after_z = hn::Set(d, 'Z' + 1);
  const auto first_other = hn::Set(d, 0x80);
  const auto difference = hn::Set(d, 'a' - 'A');
  size_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    const auto v = hn::LoadU(d, from + i);
    if (!hn::AllTrue(d, hn::Lt(v, first_other))) break;
    const auto upper = hn::And(hn::Gt(v, before_a), hn::Lt(v, after_z));
    hn::StoreU(hn::Add(v, hn::IfThenElseZero(upper, difference)), d, to + i);
  }
  for (; i < size && from[i] < 0x80; ++i) {
    const bool upper = from[i] >= 'A' && from[i] <= 'Z';
    to[i] = static_cast<uint8_t>(upper ? from[i] + ('a' - 'A') : from[i]);
  }
  return i;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {

HWY_EXPORT(find_breaks);
HWY_EXPORT(lower_ascii);

void find_breaks(const char* text, size_t size, uint64_t* breaks) {
  HWY_DYNAMIC_DISPATCH(find_breaks)(text, size, breaks);
}

size_t lower_ascii(const char* text, size_t size, char* out) {
  return HWY_DYNAMIC_DISPATCH(lower_ascii)(text, size, out);
}

}  // namespace sesame
#endif
