#pragma once

#include <cstdint>
#include <span>

#include "sesame/base/huge_buffer.h"
#include "sesame/text/sentencepiece/segment_cache.h"

namespace sesame {

/// The ids of single characters below U+10000, a place for each: the texts of many scripts consist of characters that
/// join with no other. For one thread and one model.
class CharacterCache {
 public:
  /// The place of a character whose bytes are given in one number, the first in its lowest byte; 0: it has none.
  static uint32_t place_of(uint32_t bytes) noexcept {
    if ((bytes & 0xFFC0C0F0) == 0x008080E0) {
      const uint32_t place = ((bytes & 0x0F) << 12) | ((bytes >> 2) & 0xFC0) | ((bytes >> 16) & 0x3F);
      return place >= 0x800 ? place : 0;
    }
    if ((bytes & 0xFFFFC0E0) == 0x80C0) {
      const uint32_t place = ((bytes & 0x1F) << 6) | ((bytes >> 8) & 0x3F);
      return place >= 0x80 ? place : 0;
    }
    return bytes < 0x80 ? bytes : 0;
  }

  /// The ids of the character at a place; none where they are not known yet.
  [[nodiscard]] const SegmentIds& find(uint32_t place) const { return characters_[place]; }
  void prefetch(uint32_t place) const { __builtin_prefetch(&characters_[place]); }
  void put(uint32_t place, const SegmentIds& ids) { characters_[place] = ids; }

 private:
  HugeBuffer memory_{0x10000 * sizeof(SegmentIds)};
  std::span<SegmentIds> characters_ = memory_.as<SegmentIds>();
};

}  // namespace sesame
