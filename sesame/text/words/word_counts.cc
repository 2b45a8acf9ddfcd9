#include "sesame/text/words/word_counts.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace sesame {
namespace {

/// Ranges of hashes that are merged independently: small enough for their words to lie in the cache.
constexpr size_t kParts = 64;

struct Part {
  std::vector<WordCount> entries;
  uint64_t words = 0;
  uint64_t distinct = 0;
};

/// Sums up one range of hashes.
Part merge_part(const std::vector<WordMap>& maps, size_t part, size_t parts, uint64_t min_count) {
  Part result;
  const auto keep = [&](const WordMap::Entry& entry, uint64_t count) {
    result.words += count;
    ++result.distinct;
    if (count >= min_count) result.entries.push_back({entry.word(), count});
  };
  if (maps.size() == 1) {
    maps[0].for_each_of_part(part, parts, [&](const WordMap::Entry& entry) { keep(entry, entry.value); });
    return result;
  }
  WordMap sums(maps[0].size() / parts * 2, std::countr_zero(parts));
  for (const WordMap& map : maps) {
    map.for_each_of_part(part, parts, [&](const WordMap::Entry& entry) { sums[entry.key()] += entry.value; });
  }
  // Once more, for words that lie where they stay; a sum that has been taken is 0.
  for (const WordMap& map : maps) {
    map.for_each_of_part(part, parts, [&](const WordMap::Entry& entry) {
      uint64_t& sum = sums[entry.key()];
      if (sum > 0) keep(entry, std::exchange(sum, 0));
    });
  }
  return result;
}

}  // namespace

WordCounts::WordCounts(int threads, uint64_t memory_bytes, const std::filesystem::path& directory)
    : share_bytes_(memory_bytes / static_cast<uint64_t>(threads)), runs_(directory) {
  for (int thread = 0; thread < threads; ++thread) {
    maps_.emplace_back(std::min<uint64_t>(share_bytes_ / sizeof(WordMap::Entry) / 4, 2500));
  }
}

void WordCounts::make_room(WordMap& map) {
  const uint64_t grown = map.memory_bytes() + map.entries().size() * sizeof(WordMap::Entry);
  if (grown <= share_bytes_) {
    map.grow();
  } else {
    runs_.add(map);
    map.clear();
  }
}

WordMap::Entry& WordCounts::insert(WordMap& map, const WordKey& word) {
  if (map.full() || (!word.is_short() && map.memory_bytes() + word.size > share_bytes_ && map.size() > 0)) {
    make_room(map);
  }
  WordMap::Entry& entry = *map.find(word);
  map.insert(entry, word);
  return entry;
}

void WordCounts::add(int thread, const WordKey& word, uint64_t count) {
  WordMap& map = maps_[static_cast<size_t>(thread)];
  WordMap::Entry* entry = map.find(word);
  if (entry->size == 0) entry = &insert(map, word);
  entry->value += count;
}

void WordCounts::add(int thread, std::string_view text, std::span<const WordSpan> words) {
  // Keys first, so that the lines of the map are on their way while the next keys are made.
  constexpr size_t kAhead = 64;
  std::array<WordKey, kAhead> keys;
  WordMap& map = maps_[static_cast<size_t>(thread)];
  while (!words.empty()) {
    const std::span<const WordSpan> some = words.first(std::min(kAhead, words.size()));
    words = words.subspan(some.size());
    for (size_t i = 0; i < some.size(); ++i) {
      keys[i] = WordKey::in_text(text, some[i].begin, some[i].size);
      map.prefetch(keys[i]);
    }
    for (size_t i = 0; i < some.size(); ++i) {
      if (keys[i].size == 0) continue;
      WordMap::Entry* entry = map.find(keys[i]);
      if (entry->size == 0) entry = &insert(map, keys[i]);
      ++entry->value;
    }
  }
}

void WordCounts::write_out(ThreadPool& threads) {
  threads.run(static_cast<int64_t>(maps_.size()), [&](int64_t i, int) {
    WordMap& map = maps_[static_cast<size_t>(i)];
    runs_.add(map);
    map = WordMap();
  });
}

WordCounts::Merged WordCounts::merge(uint64_t min_count, ThreadPool& threads) {
  if (runs_.empty()) return merge_maps(min_count, threads);
  write_out(threads);
  return merge_runs(min_count);
}

void WordCounts::for_each_sorted(ThreadPool& threads, FunctionRef<void(std::string_view, uint64_t)> emit) {
  if (!runs_.empty()) {
    write_out(threads);
    runs_.merge(emit);
    return;
  }
  std::vector<WordCount> entries = merge_maps(0, threads).entries;
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.word < b.word; });
  for (const WordCount& entry : entries) emit(entry.word, entry.count);
}

uint64_t WordCounts::memory_bytes() const noexcept {
  uint64_t bytes = words_.memory_bytes();
  for (const WordMap& map : maps_) bytes += map.memory_bytes();
  return bytes;
}

WordCounts::Merged WordCounts::merge_maps(uint64_t min_count, ThreadPool& threads) const {
  std::vector<Part> parts(maps_.size() == 1 ? 1 : kParts);
  threads.run(static_cast<int64_t>(parts.size()), [&](int64_t part, int) {
    const auto i = static_cast<size_t>(part);
    parts[i] = merge_part(maps_, i, parts.size(), min_count);
  });
  Merged merged;
  for (const Part& part : parts) {
    merged.entries.insert(merged.entries.end(), part.entries.begin(), part.entries.end());
    merged.words += part.words;
    merged.distinct += part.distinct;
  }
  return merged;
}

WordCounts::Merged WordCounts::merge_runs(uint64_t min_count) {
  Merged merged;
  words_.clear();
  runs_.merge([&](std::string_view word, uint64_t count) {
    merged.words += count;
    ++merged.distinct;
    if (count >= min_count) merged.entries.push_back({words_.keep(word), count});
  });
  return merged;
}

}  // namespace sesame
