#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sesame {

/// Draws i with a probability in proportion to a weight, in constant time and 8 bytes an entry: Walker's alias method
/// ("An efficient method for generating discrete random variables with general distributions", 1977) with Vose's
/// construction (1991). Every probability is right to 2^-32 of an even share. Immutable.
class AliasTable {
 public:
  AliasTable() = default;
  /// weights[i] = counts[i]^exponent; a count of 0 is never drawn, unless all are 0: then all are equal. At least one.
  AliasTable(std::span<const uint64_t> counts, double exponent);

  /// `bits`: 64 uniform random bits.
  [[nodiscard]] int32_t draw(uint64_t bits) const noexcept {
    const Wide scaled = Wide{bits} * entries_.size();
    const auto i = static_cast<size_t>(scaled >> 64);
    const auto rest = static_cast<uint32_t>(static_cast<uint64_t>(scaled) >> 32);
    const Entry entry = entries_[i];
    // Without a branch, which nothing could predict: draws wait for memory side by side.
    const int32_t itself = -static_cast<int32_t>(rest < entry.threshold);
    return (static_cast<int32_t>(i) & itself) | (entry.alias & ~itself);
  }

  /// Asks for the entry that draw(bits) will look at.
  void prefetch(uint64_t bits) const noexcept {
    __builtin_prefetch(&entries_[static_cast<size_t>(Wide{bits} * entries_.size() >> 64)]);
  }

  [[nodiscard]] size_t size() const noexcept { return entries_.size(); }

 private:
  __extension__ using Wide = unsigned __int128;
  struct Entry {
    uint32_t threshold = 0;  // of 2^32: below it the entry itself is drawn
    int32_t alias = 0;
  };
  std::vector<Entry> entries_;
};

}  // namespace sesame
