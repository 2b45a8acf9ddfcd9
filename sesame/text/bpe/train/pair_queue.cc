#include "sesame/text/bpe/train/pair_queue.h"

#include <algorithm>
#include <array>
#include <bit>

namespace sesame {

void PairQueue::lower_floor(PairTable& table, FunctionRef<uint32_t(PairEntry&)> first_position) {
  constexpr size_t enough = 8192;
  std::array<size_t, 65> widths{};  // waiting pairs by the bits of their count
  const auto waits = [&](const PairEntry& entry) {
    return entry.pair_plus_one != 0 && !entry.done && entry.count >= least_ && entry.count < floor_;
  };
  for (const PairEntry& entry : table.entries()) {
    if (waits(entry)) ++widths[static_cast<size_t>(std::bit_width(static_cast<uint64_t>(entry.count)))];
  }
  size_t width = 64;
  for (size_t found = 0; width > 0; --width) {
    found += widths[width];
    if (found >= enough) break;
  }
  const int64_t below = floor_;
  floor_ = std::max(least_, width == 0 ? 0 : int64_t{1} << (width - 1));
  for (PairEntry& entry : table.entries()) {
    if (entry.pair_plus_one == 0 || entry.done || entry.count < floor_ || entry.count >= below) continue;
    push({entry.count, entry.pair(), first_position(entry)});
  }
}

}  // namespace sesame
