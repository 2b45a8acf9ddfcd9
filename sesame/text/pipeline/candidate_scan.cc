#include "sesame/text/pipeline/candidate_scan.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/text/pipeline/candidate_scan.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

/// The first candidate of [from, size - 1), or the first place that no whole vector with its next byte holds.
size_t scan(const CandidateScan::Tables& tables, const uint8_t* text, size_t size, size_t from) {
#if HWY_TARGET == HWY_SCALAR
  (void)tables, (void)text, (void)size;
  return from;
#else
  const hn::CappedTag<uint8_t, 64> d;
  const size_t lanes = hn::Lanes(d);
  const auto first_low = hn::LoadDup128(d, tables.first_low.data());
  const auto first_high = hn::LoadDup128(d, tables.first_high.data());
  const auto second_low = hn::LoadDup128(d, tables.second_low.data());
  const auto second_high = hn::LoadDup128(d, tables.second_high.data());
  const auto low_half = hn::Set(d, 0x0F);
  const auto zero = hn::Zero(d);
  size_t i = from;
  for (; i + lanes < size; i += lanes) {
    const auto first = hn::LoadU(d, text + i);
    const auto second = hn::LoadU(d, text + i + 1);
    const auto at_first = hn::And(hn::TableLookupBytes(first_low, hn::And(first, low_half)),
                                  hn::TableLookupBytes(first_high, hn::ShiftRight<4>(first)));
    const auto at_second = hn::And(hn::TableLookupBytes(second_low, hn::And(second, low_half)),
                                   hn::TableLookupBytes(second_high, hn::ShiftRight<4>(second)));
    const auto found = hn::Ne(hn::And(at_first, at_second), zero);
    const intptr_t place = hn::FindFirstTrue(d, found);
    if (place >= 0) return i + static_cast<size_t>(place);
  }
  return i;
#endif
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {

HWY_EXPORT(scan);

CandidateScan::CandidateScan(std::span<const std::string> strings) {
  std::array<int, 256> bucket_of;
  bucket_of.fill(-1);
  int buckets = 0;
  for (const std::string& s : strings) {
    const auto first = static_cast<uint8_t>(s[0]);
    if (bucket_of[first] < 0) bucket_of[first] = buckets++ % 8;
    const auto bit = static_cast<uint8_t>(1u << bucket_of[first]);
    tables_.first_low[first & 15] |= bit;
    tables_.first_high[first >> 4] |= bit;
    if (s.size() == 1) {
      single_ |= bit;
      continue;
    }
    const auto second = static_cast<uint8_t>(s[1]);
    tables_.second_low[second & 15] |= bit;
    tables_.second_high[second >> 4] |= bit;
  }
  for (size_t half = 0; half < 16; ++half) {
    tables_.second_low[half] |= single_;
    tables_.second_high[half] |= single_;
  }
}

size_t CandidateScan::next(std::string_view text, size_t from) const noexcept {
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto buckets = [](const auto& low, const auto& high, uint8_t byte) { return low[byte & 15] & high[byte >> 4]; };
  for (size_t i = HWY_DYNAMIC_DISPATCH(scan)(tables_, bytes, text.size(), from); i < text.size(); ++i) {
    const int first = buckets(tables_.first_low, tables_.first_high, bytes[i]);
    if (first == 0) continue;
    const int second = i + 1 < text.size() ? buckets(tables_.second_low, tables_.second_high, bytes[i + 1]) : single_;
    if ((first & second) != 0) return i;
  }
  return text.size();
}

}  // namespace sesame
#endif
