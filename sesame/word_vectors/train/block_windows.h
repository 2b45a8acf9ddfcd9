#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "sesame/word_vectors/train/block.h"

namespace sesame {

/// For every position among a block's inputs the centres whose windows start (or end) there, as linked lists.
struct WindowList {
  std::array<int16_t, Block::kMaxInputs + 1> first;  // by position; -1: none
  std::array<int16_t, Block::kMaxCentres> next;      // by centre; -1: the last one

  void clear(size_t positions) { std::fill_n(first.begin(), positions, int16_t{-1}); }
  void add(int32_t position, size_t centre) {
    next[centre] = first[static_cast<size_t>(position)];
    first[static_cast<size_t>(position)] = static_cast<int16_t>(centre);
  }
};

/// The windows of a block as CBOW walks over them.
struct BlockWindows {
  explicit BlockWindows(const Block& block) {
    starts.clear(block.inputs.size() + 1);
    ends.clear(block.inputs.size() + 1);
    for (size_t c = 0; c < block.centres.size(); ++c) {
      const ContextWindow& window = block.centres[c];
      starts.add(window.first, c);
      ends.add(window.last, c);
      const float count = rows_in(block, window);
      shares[c] = count > 0 ? 1 / count : 0;
    }
  }

  static bool has_self(const ContextWindow& window) { return window.self >= window.first && window.self < window.last; }

  WindowList starts, ends;
  std::array<float, Block::kMaxCentres> shares;  // 1 / the number of rows in a centre's mean, 0 if there are none

 private:
  static float rows_in(const Block& block, const ContextWindow& window) {
    if (block.input_counts == nullptr) return static_cast<float>(window.size());
    float count = has_self(window) ? -block.input_counts[window.self] : 0.0F;
    for (int32_t i = window.first; i < window.last; ++i) count += block.input_counts[i];
    return count;
  }
};

}  // namespace sesame
