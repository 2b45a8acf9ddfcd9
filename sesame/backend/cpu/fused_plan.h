#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "sesame/backend/cpu/blocks.h"
#include "sesame/graph/fused.h"

namespace sesame {

/// Where the values of a fused node lie while a tile of elements goes through its list, and how the elements are cut.
/// Depends on the list and the shapes alone.
struct FusedPlan {
  static constexpr size_t kMaxValues = kMaxFusedInputs + kMaxFusedInstructions;
  /// A tile of all slots stays in half of the smallest L1 cache, with room for the operands that stream by.
  static constexpr int64_t kBufferFloats = 4096;
  static constexpr int64_t kMaxTile = 1024;
  static constexpr int64_t kMinTile = 64;  // of all slots at once: 64 * 64 floats
  /// Slots do not lie a power of two apart, or loads would wait for stores to other slots (aliases of 4 KiB).
  static constexpr int64_t kSlotGap = 48;

  size_t inputs;
  std::array<int8_t, kMaxValues> slot{};      // which part of the buffer a value has
  std::array<int8_t, kMaxValues> last_use{};  // the last instruction that reads it; what is a result is read at the end
  int64_t slots = 0;
  int64_t tile = 0;  // elements, a multiple of 64

  // Reductions: rows of `row_length` elements; see fused_row_length.
  int64_t elements;
  int64_t row_length;
  bool along_rows;    // each row is reduced to one, else the rows are added up
  int64_t parts = 1;  // along_rows: each row in this many pieces; else: the rows in this many parts

  FusedPlan(const FusedAttributes& attributes, size_t input_count)
      : inputs(input_count),
        elements(attributes.shape.elements()),
        row_length(fused_row_length(attributes)),
        along_rows(reduces_last_axes(attributes)) {
    find_last_uses(attributes);
    give_slots(attributes);
    tile = std::clamp(kBufferFloats / std::max<int64_t>(slots, 1) / 64 * 64, kMinTile, kMaxTile);
    constexpr int64_t kEnoughRows = 16;
    if (!along_rows) {
      parts = RowParts(rows(), row_length).parts;
    } else if (rows() < kEnoughRows) {
      parts = std::clamp<int64_t>(row_length / kElementsPerBlock, 1, kMaxRowParts);
    }
  }

  [[nodiscard]] int64_t slot_begin(size_t value) const { return slot[value] * (tile + kSlotGap); }

  [[nodiscard]] int64_t rows() const { return elements / row_length; }

  /// Floats of partial results per reduction. Rows that are whole need none: their result is written at once.
  [[nodiscard]] int64_t partials() const {
    if (along_rows) return parts == 1 ? 0 : rows() * parts;
    return parts * row_length;
  }

 private:
  static constexpr int8_t kAtTheEnd = kMaxFusedInstructions;

  void find_last_uses(const FusedAttributes& attributes) {
    last_use.fill(-1);
    for (size_t k = 0; k < attributes.instructions.size(); ++k) {
      for (const int32_t operand : attributes.instructions[k].operands) {
        if (operand >= 0) last_use[static_cast<size_t>(operand)] = static_cast<int8_t>(k);
      }
    }
    for (const FusedOutput& result : attributes.results) last_use[static_cast<size_t>(result.value)] = kAtTheEnd;
    // Constants are written once, before the first tile.
    for (size_t k = 0; k < attributes.instructions.size(); ++k) {
      if (attributes.instructions[k].op == Op::constant) last_use[inputs + k] = kAtTheEnd;
    }
  }

  /// Inputs and constants first, so that nothing else is ever written over them; then each value takes the lowest slot
  /// whose value has been read for the last time.
  void give_slots(const FusedAttributes& attributes) {
    std::array<int8_t, kMaxValues> free_after{};  // [slot]
    const auto take = [&](size_t value, int8_t at) {
      int64_t s = 0;
      while (s < slots && free_after[static_cast<size_t>(s)] > at) ++s;
      slots = std::max(slots, s + 1);
      slot[value] = static_cast<int8_t>(s);
      free_after[static_cast<size_t>(s)] = last_use[value];
    };
    for (size_t i = 0; i < inputs; ++i) {
      slot[i] = static_cast<int8_t>(slots);
      free_after[static_cast<size_t>(slots++)] = kAtTheEnd;
    }
    for (size_t k = 0; k < attributes.instructions.size(); ++k) {
      if (attributes.instructions[k].op == Op::constant) {
        slot[inputs + k] = static_cast<int8_t>(slots);
        free_after[static_cast<size_t>(slots++)] = kAtTheEnd;
      }
    }
    for (size_t k = 0; k < attributes.instructions.size(); ++k) {
      if (attributes.instructions[k].op != Op::constant) take(inputs + k, static_cast<int8_t>(k));
    }
  }
};

}  // namespace sesame
