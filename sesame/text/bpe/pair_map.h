#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sesame {

/// Two token ids as one key; keys order as the pairs do.
constexpr uint64_t pair_key(int32_t left, int32_t right) {
  return (uint64_t{static_cast<uint32_t>(left)} << 32) | static_cast<uint32_t>(right);
}
constexpr int32_t pair_left(uint64_t key) { return static_cast<int32_t>(key >> 32); }
constexpr int32_t pair_right(uint64_t key) { return static_cast<int32_t>(key & 0xFFFFFFFFu); }

/// An open-addressing hash map from pairs of token ids (both >= 0) to small values, at most half full.
template <typename Value>
class PairMap {
 public:
  explicit PairMap(size_t expected = 0) { resize(std::bit_ceil(expected * 2 + 16)); }

  /// The value of a key, or null.
  [[nodiscard]] const Value* find(uint64_t key) const {
    for (size_t i = slot(key);; i = (i + 1) & mask_) {
      if (slots_[i].key == key) return &slots_[i].value;
      if (slots_[i].key == empty) return nullptr;
    }
  }

  /// The value of a key, added as `initial` if it is new; valid until the next call.
  Value& get_or_add(uint64_t key, const Value& initial) {
    if ((size_ + 1) * 2 > slots_.size()) resize(slots_.size() * 2);
    for (size_t i = slot(key);; i = (i + 1) & mask_) {
      if (slots_[i].key == key) return slots_[i].value;
      if (slots_[i].key == empty) {
        slots_[i] = {key, initial};
        ++size_;
        return slots_[i].value;
      }
    }
  }

  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  static constexpr uint64_t empty = ~uint64_t{0};
  struct Slot {
    uint64_t key = empty;
    Value value{};
  };

  [[nodiscard]] size_t slot(uint64_t key) const { return static_cast<size_t>((key * 0x9E3779B97F4A7C15ull) >> shift_); }

  void resize(size_t slots) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    mask_ = slots - 1;
    shift_ = 64 - std::countr_zero(slots);
    for (const Slot& s : old) {
      if (s.key == empty) continue;
      size_t i = slot(s.key);
      while (slots_[i].key != empty) i = (i + 1) & mask_;
      slots_[i] = s;
    }
  }

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  int shift_ = 0;
  size_t size_ = 0;
};

}  // namespace sesame
