#include "sesame/text/encode/word_cache.h"

#include <vector>

namespace sesame {

template <typename Use>
WordCache::Entry* WordCache::find_place(uint64_t hash, Use use) const noexcept {
  const size_t own = hash & mask_;
  const size_t neighbour = own ^ 1;
  // Of the neighbour first the place that its own words take last.
  for (Entry* entry : {&lines()[own][0], &lines()[own][1], &lines()[neighbour][1], &lines()[neighbour][0]}) {
    if (use(*entry)) return entry;
  }
  return nullptr;
}

bool WordCache::is_overwritten(const Entry& entry) const noexcept {
  return entry.count() > line_ids && ring_end_ - entry.ring_begin() > ring_ids;
}

bool WordCache::is_free(const Entry& entry) const noexcept { return entry.count() == 0 || is_overwritten(entry); }

size_t WordCache::copy_elsewhere(Key key, uint64_t hash, int32_t* ids) const noexcept {
  if (key.high >> size_shift == 0) return 0;
  // What stands in the neighbouring line found its own one full.
  const Line& own = lines()[hash & mask_];
  if (own[1].count() == 0 && !own[0].holds(key)) return 0;
  const Entry* const entry = find_place(hash, [&](const Entry& place) { return place.holds(key); });
  if (entry == nullptr || is_overwritten(*entry)) return 0;
  if (entry->count() <= line_ids) {
    std::copy(entry->ids.begin(), entry->ids.end(), ids);
  } else {
    std::copy_n(ring_.as<int32_t>().data() + entry->ring_begin() % ring_ids, entry->count(), ids);
  }
  return entry->count();
}

void WordCache::put(Key key, uint64_t hash, std::span<const int32_t> ids) {
  if (ids.empty() || ids.size() > max_word) return;
  Entry entry{key.low, key.high | (uint64_t{ids.size()} << count_shift), {}};
  if (ids.size() <= line_ids) {
    std::copy(ids.begin(), ids.end(), entry.ids.begin());
  } else {
    if (ring_.size() == 0) ring_ = HugeBuffer(ring_ids * sizeof(int32_t));
    // Ids lie in one stretch.
    if (ring_end_ % ring_ids + ids.size() > ring_ids) ring_end_ += ring_ids - ring_end_ % ring_ids;
    std::copy(ids.begin(), ids.end(), ring_.as<int32_t>().begin() + static_cast<ptrdiff_t>(ring_end_ % ring_ids));
    std::memcpy(entry.ids.data(), &ring_end_, sizeof ring_end_);
    ring_end_ += ids.size();
  }
  if (Entry* const same = find_place(hash, [&](const Entry& place) { return place.holds(key); })) {
    *same = entry;
    return;
  }
  const auto is_taken = [&] { return find_place(hash, [&](const Entry& place) { return is_free(place); }) == nullptr; };
  const bool is_full = words_ > mask_ || (words_ > mask_ / 2 && is_taken());
  if (is_full && mask_ + 1 < max_lines) grow();
  insert(entry, hash);
}

void WordCache::insert(const Entry& entry, uint64_t hash) noexcept {
  Entry* place = find_place(hash, [&](const Entry& candidate) { return is_free(candidate); });
  if (place == nullptr) place = &lines()[hash & mask_][1];
  words_ += place->count() == 0 ? 1 : 0;
  *place = entry;
}

void WordCache::grow() {
  const std::vector<Line> old(lines(), lines() + mask_ + 1);
  std::fill(lines(), lines() + mask_ + 1, Line{});
  words_ = 0;
  mask_ = 2 * (mask_ + 1) - 1;
  for (size_t place = 0; place < 2; ++place) {
    for (const Line& line : old) {
      if (line[place].count() != 0) insert(line[place], hash(line[place].key()));
    }
  }
}

}  // namespace sesame
