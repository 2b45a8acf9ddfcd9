// The means of CBOW's windows, and the way back from what they have moved by to the inputs. Both go once over a block's
// inputs with a running sum, which a window joins at its first input and leaves behind its last: the cost does not grow
// with the windows. Included once per instruction set.

#if defined(SESAME_WORD_VECTORS_TRAIN_BLOCK_CBOW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_WORD_VECTORS_TRAIN_BLOCK_CBOW_INL_H_
#undef SESAME_WORD_VECTORS_TRAIN_BLOCK_CBOW_INL_H_
#else
#define SESAME_WORD_VECTORS_TRAIN_BLOCK_CBOW_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"
#include "sesame/word_vectors/train/block_rows-inl.h"
#include "sesame/word_vectors/train/block_windows.h"
#include "sesame/word_vectors/train/block_workspace.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// rows[c] = the sum of inputs [first, last) of window c. rows: [centres, width]
struct SumWindows {
  const Block& block;
  const BlockWindows& windows;
  float* rows;
  int64_t width;

  template <int vectors>
  HWY_INLINE void strip(int64_t column) const {
    const FloatTag d;
    FloatVec sum[vectors];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) sum[v] = hn::Zero(d);
    for (size_t i = 0;; ++i) {
      for (int16_t c = windows.starts.first[i]; c >= 0; c = windows.starts.next[static_cast<size_t>(c)]) {
        float* const row = rows + c * width + column;
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v) hn::Store(hn::Neg(sum[v]), d, row + v * kLanes);
      }
      for (int16_t c = windows.ends.first[i]; c >= 0; c = windows.ends.next[static_cast<size_t>(c)]) {
        float* const row = rows + c * width + column;
        for (int v = 0; v < vectors; ++v)
          hn::Store(hn::Add(sum[v], hn::Load(d, row + v * kLanes)), d, row + v * kLanes);
      }
      if (i == block.inputs.size()) break;
      const float* x = block.inputs[i] + column;
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) sum[v] = hn::Add(sum[v], hn::Load(d, x + v * kLanes));
    }
  }
};

/// inputs[i] += the sum of rows[c] over the windows with i in [first, last). rows: [centres, width]
struct MoveWindows {
  const Block& block;
  const BlockWindows& windows;
  const float* rows;
  int64_t width;

  template <int vectors>
  HWY_INLINE void strip(int64_t column) const {
    const FloatTag d;
    FloatVec sum[vectors];
#pragma GCC unroll 16
    for (int v = 0; v < vectors; ++v) sum[v] = hn::Zero(d);
    for (size_t i = 0; i < block.inputs.size(); ++i) {
      for (int16_t c = windows.starts.first[i]; c >= 0; c = windows.starts.next[static_cast<size_t>(c)]) {
        const float* row = rows + c * width + column;
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v) sum[v] = hn::Add(sum[v], hn::Load(d, row + v * kLanes));
      }
      for (int16_t c = windows.ends.first[i]; c >= 0; c = windows.ends.next[static_cast<size_t>(c)]) {
        const float* row = rows + c * width + column;
#pragma GCC unroll 16
        for (int v = 0; v < vectors; ++v) sum[v] = hn::Sub(sum[v], hn::Load(d, row + v * kLanes));
      }
      float* const x = block.inputs[i] + column;
#pragma GCC unroll 16
      for (int v = 0; v < vectors; ++v) hn::Store(hn::Add(sum[v], hn::Load(d, x + v * kLanes)), d, x + v * kLanes);
    }
  }
};

/// The mean of every window, to hidden and hidden_before.
HWY_INLINE void mean_windows(const Block& block, const BlockWindows& windows, BlockWorkspace::State& scratch) {
  const FloatTag d;
  const int64_t width = scratch.width;
  over_columns(width, SumWindows{block, windows, scratch.hidden.get(), width});
  for (size_t c = 0; c < block.centres.size(); ++c) {
    const ContextWindow& window = block.centres[c];
    const bool has_self = BlockWindows::has_self(window);
    const float* self = has_self ? block.inputs[static_cast<size_t>(window.self)] : scratch.zeros.get();
    const FloatVec share = hn::Set(d, windows.shares[c]);
    float* const h = scratch.hidden_row(c);
    float* const before = scratch.hidden_before_row(c);
    for (int64_t v = 0; v < width; v += kLanes) {
      const FloatVec mean = hn::Mul(share, hn::Sub(hn::Load(d, h + v), hn::Load(d, self + v)));
      hn::Store(mean, d, h + v);
      hn::Store(mean, d, before + v);
    }
  }
}

/// What every h has moved by goes to the inputs of its window.
HWY_INLINE void move_windows(const Block& block, const BlockWindows& windows, CbowGradient gradient,
                             BlockWorkspace::State& scratch) {
  const FloatTag d;
  const int64_t width = scratch.width;
  for (size_t c = 0; c < block.centres.size(); ++c) {
    const ContextWindow& window = block.centres[c];
    const bool full = gradient == CbowGradient::full && windows.shares[c] > 0;
    const FloatVec share = hn::Set(d, full ? 1.0F : windows.shares[c]);
    const float* h = scratch.hidden_row(c);
    float* const step = scratch.hidden_before_row(c);
    for (int64_t v = 0; v < width; v += kLanes) {
      hn::Store(hn::Mul(share, hn::Sub(hn::Load(d, h + v), hn::Load(d, step + v))), d, step + v);
    }
    if (!BlockWindows::has_self(window)) continue;
    float* const self = block.inputs[static_cast<size_t>(window.self)];
    for (int64_t v = 0; v < width; v += kLanes) {
      hn::Store(hn::Sub(hn::Load(d, self + v), hn::Load(d, step + v)), d, self + v);
    }
  }
  over_columns(width, MoveWindows{block, windows, scratch.hidden_before.get(), width});
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_WORD_VECTORS_TRAIN_BLOCK_CBOW_INL_H_
