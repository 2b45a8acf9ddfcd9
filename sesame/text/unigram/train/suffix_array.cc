#include "sesame/text/unigram/train/suffix_array.h"

#include <algorithm>
#include <bit>
#include <span>

namespace sesame::unigram {
namespace {

struct Suffix {
  uint64_t key;  // the letters compared next
  uint32_t position;
  uint32_t entry;
};

/// How letters are packed into 64 bits, the first one uppermost: 0 behind the end, else the letter plus 1.
struct Packing {
  explicit Packing(size_t letters)
      : bits(std::bit_width(letters)), count(64 / bits), mask(~uint64_t{0} << (64 - bits * count)) {}

  [[nodiscard]] uint64_t prepend(uint32_t letter, uint64_t key) const {
    return ((uint64_t{letter} + 1) << (64 - bits)) | ((key >> bits) & mask);
  }
  [[nodiscard]] uint32_t equal_letters(uint64_t a, uint64_t b) const {
    return static_cast<uint32_t>(std::countl_zero(a ^ b) / bits);
  }
  /// The number of letters in a key that ends with its entry, or all.
  [[nodiscard]] uint32_t size(uint64_t key) const {
    return key == 0 ? 0 : static_cast<uint32_t>((64 - std::countr_zero(key) + bits - 1) / bits);
  }

  int bits;
  int count;  // letters in a key
  uint64_t mask;
};

class Sorter {
 public:
  Sorter(const TrainingText& text, uint32_t depth, ThreadPool& threads)
      : text_(text), depth_(depth), threads_(threads), packing_(text.codes.size()) {}

  SuffixArray sort() {
    const size_t size = text_.letters.size() - text_.entries.size();
    suffixes_.resize(size);
    bucket_bits_ = std::clamp(static_cast<int>(std::bit_width(size)) - 4, 4, 16);
    scatter();
    result_.positions.resize(size);
    result_.entries.resize(size);
    result_.shared.resize(size);
    sort_buckets();
    return std::move(result_);
  }

 private:
  /// f(entry, position, key) for the suffixes of entries [begin, end).
  template <typename F>
  void for_each_suffix(size_t begin, size_t end, F&& f) const {
    for (size_t e = begin; e < end; ++e) {
      const TrainingText::Entry& entry = text_.entries[e];
      uint64_t key = packing_.prepend(text_.letters[entry.begin + entry.length], 0);
      for (uint32_t i = entry.begin + entry.length; i-- > entry.begin;) {
        key = packing_.prepend(text_.letters[i], key);
        f(e, i, key);
      }
    }
  }

  void scatter() {
    const size_t buckets = size_t{1} << bucket_bits_;
    const size_t ranges = std::min<size_t>(text_.entries.size(), 4 * static_cast<size_t>(threads_.threads()));
    std::vector<size_t> range_begin(ranges + 1);
    for (size_t r = 0, entry = 0; r <= ranges; ++r) {
      const size_t letters = text_.letters.size() / ranges * r;
      while (r == ranges ? entry < text_.entries.size()
                         : entry < text_.entries.size() && text_.entries[entry].begin < letters)
        ++entry;
      range_begin[r] = entry;
    }
    std::vector<std::vector<uint32_t>> places(ranges);
    const int shift = 64 - bucket_bits_;
    threads_.run(static_cast<int64_t>(ranges), [&](int64_t range, int) {
      const auto r = static_cast<size_t>(range);
      places[r].resize(buckets);
      for_each_suffix(range_begin[r], range_begin[r + 1],
                      [&](size_t, uint32_t, uint64_t key) { ++places[r][key >> shift]; });
    });
    bucket_begin_.resize(buckets + 1);
    uint32_t sum = 0;
    for (size_t bucket = 0; bucket < buckets; ++bucket) {
      bucket_begin_[bucket] = sum;
      for (std::vector<uint32_t>& place : places) {
        const uint32_t count = place[bucket];
        place[bucket] = sum;
        sum += count;
      }
    }
    bucket_begin_[buckets] = sum;
    threads_.run(static_cast<int64_t>(ranges), [&](int64_t range, int) {
      const auto r = static_cast<size_t>(range);
      for_each_suffix(range_begin[r], range_begin[r + 1], [&](size_t entry, uint32_t position, uint64_t key) {
        suffixes_[places[r][key >> shift]++] = {key, position, static_cast<uint32_t>(entry)};
      });
    });
  }

  void sort_buckets() {
    const size_t share = std::max<size_t>(suffixes_.size() / (16 * static_cast<size_t>(threads_.threads())), 1 << 12);
    std::vector<size_t> shares{0};  // first bucket of each
    for (size_t bucket = 1; bucket + 1 < bucket_begin_.size(); ++bucket)
      if (bucket_begin_[bucket] - bucket_begin_[shares.back()] >= share) shares.push_back(bucket);
    shares.push_back(bucket_begin_.size() - 1);
    threads_.run(static_cast<int64_t>(shares.size()) - 1, [&](int64_t i, int) {
      for (size_t bucket = shares[static_cast<size_t>(i)]; bucket < shares[static_cast<size_t>(i) + 1]; ++bucket)
        refine(bucket_begin_[bucket], bucket_begin_[bucket + 1], 0);
    });
    const std::vector<uint16_t>::iterator shared = result_.shared.begin();
    for (size_t bucket = 1; bucket + 1 < bucket_begin_.size(); ++bucket) {
      const uint32_t first = bucket_begin_[bucket];
      if (first == 0 || first == bucket_begin_[bucket + 1]) continue;
      shared[first] =
          static_cast<uint16_t>(std::min(packing_.equal_letters(key_of(first, 0), key_of(first - 1, 0)), depth_));
    }
  }

  /// The key of letters [skipped, skipped + packing_.count) of a sorted suffix.
  [[nodiscard]] uint64_t key_of(size_t i, uint32_t skipped) const {
    return key_of(result_.positions[i], result_.entries[i], skipped);
  }
  [[nodiscard]] uint64_t key_of(uint32_t position, uint32_t entry, uint32_t skipped) const {
    const uint64_t end = uint64_t{text_.entries[entry].begin} + text_.entries[entry].length + 1;
    const uint64_t begin = uint64_t{position} + skipped;
    uint64_t key = 0;
    for (uint64_t i = std::min(end, begin + static_cast<uint64_t>(packing_.count)); i-- > begin;)
      key = packing_.prepend(text_.letters[i], key);
    return key;
  }

  /// Sorts suffixes [begin, end), which have equal first `skipped` letters and keys of those behind them.
  void refine(size_t begin, size_t end, uint32_t skipped) {
    if (begin == end) return;
    const auto first = suffixes_.begin() + static_cast<int64_t>(begin);
    std::sort(first, suffixes_.begin() + static_cast<int64_t>(end),
              [](const Suffix& a, const Suffix& b) { return a.key < b.key; });
    const auto count = static_cast<uint32_t>(packing_.count);
    for (size_t i = begin; i < end;) {
      const uint64_t key = suffixes_[i].key;
      size_t run_end = i + 1;
      while (run_end < end && suffixes_[run_end].key == key) ++run_end;
      if (i > begin) {
        const uint32_t shared = skipped + packing_.equal_letters(key, suffixes_[i - 1].key);
        result_.shared[i] = static_cast<uint16_t>(std::min(shared, depth_));
      }
      if (run_end - i == 1 || packing_.size(key) < count || skipped + count >= depth_) {
        settle(i, run_end, skipped + packing_.size(key));
      } else {
        // The keys of this run are not compared again by the loop: its neighbours compare with `key`.
        for (size_t j = i; j < run_end; ++j)
          suffixes_[j].key = key_of(suffixes_[j].position, suffixes_[j].entry, skipped + count);
        refine(i, run_end, skipped + count);
        suffixes_[run_end - 1].key = key;
      }
      i = run_end;
    }
  }

  /// Suffixes [begin, end) are equal as far as they are compared, with `size` letters.
  void settle(size_t begin, size_t end, uint32_t size) {
    for (size_t i = begin; i < end; ++i) {
      result_.positions[i] = suffixes_[i].position;
      result_.entries[i] = suffixes_[i].entry;
      if (i > begin) result_.shared[i] = static_cast<uint16_t>(std::min(size, depth_));
    }
  }

  const TrainingText& text_;
  const uint32_t depth_;
  ThreadPool& threads_;
  const Packing packing_;
  int bucket_bits_ = 0;
  std::vector<uint32_t> bucket_begin_;
  std::vector<Suffix> suffixes_;
  SuffixArray result_;
};

}  // namespace

SuffixArray sort_suffixes(const TrainingText& text, uint32_t depth, ThreadPool& threads) {
  return Sorter(text, depth, threads).sort();
}

}  // namespace sesame::unigram
