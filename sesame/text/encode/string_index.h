#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "sesame/base/flat_array.h"
#include "sesame/base/hash.h"

namespace sesame {

/// Finds numbered strings by their content. The strings lie elsewhere: `get(number)` gives one as a string_view. Open
/// addressing, at most half full, eight bytes a slot: part of the hash and the number, so that a search compares bytes
/// about once.
class StringIndex {
 public:
  static constexpr uint32_t none = UINT32_MAX;
  struct Slot {
    uint32_t tag = 0;
    uint32_t number = none;
  };

  StringIndex() : slots_(std::vector<Slot>(2)) {}
  /// A table as slots() gave it.
  explicit StringIndex(FlatArray<Slot> slots) : slots_(std::move(slots)) {}

  [[nodiscard]] const FlatArray<Slot>& slots() const noexcept { return slots_; }

  /// Whether slots that came from a file are ones that find may search, for strings 0 to count - 1.
  [[nodiscard]] bool holds_together(uint32_t count) const noexcept {
    // All are looked at, in vectors.
    bool any_free = false;
    bool all_known = true;
    for (const Slot& slot : slots_) {
      const bool is_free = slot.number == none;
      any_free |= is_free;
      all_known &= is_free || slot.number < count;
    }
    return std::has_single_bit(slots_.size()) && any_free && all_known;
  }

  /// The number of a string, or none.
  template <typename Get>
  [[nodiscard]] uint32_t find(std::string_view text, const Get& get) const {
    return slots_[find_slot(slots_.span(), text, xxh3(text), get)].number;
  }

  /// Makes an index of strings one by one.
  class Builder {
   public:
    explicit Builder(size_t count) : slots_(std::bit_ceil(2 * count + 2)) {}

    /// Adds a string, unless an equal one is there; the number of the one that is there now. At most `count` in all.
    template <typename Get>
    uint32_t add(std::string_view text, uint32_t number, const Get& get) {
      const uint64_t hash = xxh3(text);
      Slot& slot = slots_[find_slot(slots_, text, hash, get)];
      if (slot.number == none) slot = {tag_of(hash), number};
      return slot.number;
    }
    [[nodiscard]] StringIndex finish() && { return StringIndex(FlatArray<Slot>(std::move(slots_))); }

   private:
    std::vector<Slot> slots_;
  };

 private:
  static uint32_t tag_of(uint64_t hash) noexcept { return static_cast<uint32_t>(hash >> 32); }

  /// The slot of a string, or the free one where it belongs.
  template <typename Get>
  static size_t find_slot(std::span<const Slot> slots, std::string_view text, uint64_t hash, const Get& get) {
    const size_t mask = slots.size() - 1;
    size_t i = hash & mask;
    while (slots[i].number != none && (slots[i].tag != tag_of(hash) || get(slots[i].number) != text)) {
      i = (i + 1) & mask;
    }
    return i;
  }

  FlatArray<Slot> slots_;
};

}  // namespace sesame
