#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sesame/text/bpe/train/symbol_text.h"

namespace sesame {

/// Replaces a pair by one symbol in a part of its positions, and gathers what that does to the neighbours: for one
/// thread.
class MergePass {
 public:
  /// What stood next to the merged pairs on one side.
  struct Neighbour {
    int64_t weight = 0;             // occurrences
    uint32_t places = 0;            // distinct ones
    uint32_t* positions = nullptr;  // where the positions of the pair with it go; null: nowhere
  };
  struct Side {
    std::vector<Neighbour> by_id;
    std::vector<int32_t> ids;  // those with places
    struct Place {
      int32_t id;
      uint32_t position;
    };
    std::vector<Place> places;

    void add(int32_t id, uint32_t position, int64_t weight) {
      Neighbour& neighbour = by_id[static_cast<size_t>(id)];
      if (neighbour.places++ == 0) ids.push_back(id);
      neighbour.weight += weight;
      places.push_back({id, position});
    }
    /// Writes the positions where `by_id` says.
    void deliver();
    void clear();
  };

  /// With disjoint runs, n / 2 pairs are counted of a run of n equal symbols: what the neighbour's weight counts too
  /// much where it is the pair's symbol on that side, or the new symbol.
  struct RunCorrection {
    int64_t left_kept = 0;    // of (left, left): not to be taken off
    int64_t right_kept = 0;   // of (right, right)
    int64_t merged_kept = 0;  // of (merged, merged): not to be added
  };

  /// For ids below `ids`.
  explicit MergePass(size_t ids);

  /// Merges left to right; `positions` rise. Positions where the pair does not stand any more are skipped.
  void run(SymbolText& text, std::span<const uint32_t> positions, int32_t left, int32_t right, int32_t merged,
           bool disjoint_runs);

  /// Forgets the neighbours.
  void clear() {
    before.clear();
    behind.clear();
  }

  Side before;  // x of x left right; the place is x's
  Side behind;  // y of left right y; the place is left's
  RunCorrection correction;
};

/// Whether the pair stands at a position.
[[nodiscard]] bool stands_at(const SymbolText& text, uint32_t position, int32_t left, int32_t right) noexcept;

/// Whether one word holds both positions; `first` < `second`.
[[nodiscard]] bool in_one_word(const SymbolText& text, uint32_t first, uint32_t second) noexcept;

/// Calls visit(position, begin of its word) for rising positions.
template <typename Visit>
void for_each_with_word(const SymbolText& text, std::span<const uint32_t> positions, Visit visit) {
  uint32_t begin = 0;
  for (size_t i = 0; i < positions.size(); ++i) {
    if (i == 0 || !in_one_word(text, positions[i - 1], positions[i])) {
      begin = positions[i];
      while (text.slots()[begin - 1] != SymbolText::end) --begin;
    }
    visit(positions[i], begin);
  }
}

}  // namespace sesame
