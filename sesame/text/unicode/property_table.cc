#include "sesame/text/unicode/property_table.h"

#include <algorithm>

namespace sesame {

PropertyTable::PropertyTable() : values_(block_size, 0) {}

PropertyTable::PropertyTable(std::span<const uint32_t> runs) : PropertyTable() {
  for (size_t i = 0; i < runs.size(); ++i) {
    const uint32_t stop = i + 1 < runs.size() ? runs[i + 1] >> 8 : code_points;
    set(runs[i] >> 8, stop - 1, static_cast<uint8_t>(runs[i] & 0xFF));
  }
}

uint16_t PropertyTable::uniform_block(uint8_t value) {
  if (value != 0 && uniform_[value] == 0) {
    uniform_[value] = static_cast<uint16_t>(values_.size() >> block_bits);
    values_.insert(values_.end(), block_size, value);
  }
  return uniform_[value];
}

void PropertyTable::set(uint32_t first, uint32_t last, uint8_t value) {
  for (uint32_t code = first; code <= last;) {
    const uint32_t block = code >> block_bits;
    const uint32_t stop = std::min(last + 1, (block + 1) << block_bits);
    if (stop - code == block_size) {
      index_[block] = uniform_block(value);
      code = stop;
      continue;
    }
    const size_t begin = static_cast<size_t>(index_[block]) << block_bits;
    const uint8_t held = values_[begin];
    if (uniform_[held] == index_[block]) {
      index_[block] = static_cast<uint16_t>(values_.size() >> block_bits);
      values_.insert(values_.end(), block_size, held);
    }
    const auto place = values_.begin() + (static_cast<ptrdiff_t>(index_[block]) << block_bits);
    std::fill(place + (code & block_mask), place + (code & block_mask) + (stop - code), value);
    code = stop;
  }
}

}  // namespace sesame
