// Step 2 of a block: rows h against a group of negatives, as three small matrix products. Included once per instruction
// set.

#if defined(SESAME_WORD_VECTORS_TRAIN_BLOCK_NEGATIVES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SESAME_WORD_VECTORS_TRAIN_BLOCK_NEGATIVES_INL_H_
#undef SESAME_WORD_VECTORS_TRAIN_BLOCK_NEGATIVES_INL_H_
#else
#define SESAME_WORD_VECTORS_TRAIN_BLOCK_NEGATIVES_INL_H_
#endif

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "hwy/highway.h"
#include "sesame/simd/math-inl.h"
#include "sesame/simd/simd-inl.h"
#include "sesame/simd/transpose-inl.h"
#include "sesame/word_vectors/train/block_workspace.h"
#include "sesame/word_vectors/train/row_prefetch.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {

/// A group of negatives, or a stretch of columns as wide, is so many vectors.
constexpr int kGroupVectors = static_cast<int>(kNegativeGroup / kLanes);

// Rows of h whose sums stay in registers, and negatives whose sums do: as many as leave room for the other operands.
constexpr int kScoreRows = kLanes == 16 ? 8 : kLanes == 8 ? 6 : 4;
constexpr int kUpdateRows = 4;
constexpr int kUpdateNegatives = kLanes == 16 ? 16 : 4;
// With AVX-512 the columns of a whole group stay in registers, which takes straight code.
constexpr int kUnrollNegatives = kLanes == 16 ? 16 : 1;

/// Rows against a group of negatives.
struct NegativeGroup {
  float* const* h;       // rows
  const float* weights;  // of h[i] and negative n: weights[i * weight_stride + n]
  int64_t weight_stride;
  float* negatives[kNegativeGroup];  // rows; zeros where there are fewer
  int64_t count;                     // of negatives
  float* packed;                     // [dim, kNegativeGroup]
  float* gradients;                  // [h, kNegativeGroup]
  int64_t width;
  float rate;
  RowPrefetch& upcoming;
};

template <int rows>
HWY_INLINE void set_zero(FloatVec (&sums)[rows][kGroupVectors]) {
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < kGroupVectors; ++v) sums[i][v] = hn::Zero(FloatTag());
  }
}

/// packed[d][n] = negatives[n][d]
HWY_INLINE void pack_negatives(const NegativeGroup& group) {
  for (int64_t d = 0; d < group.width; d += 4) {
    for (int64_t n = 0; n < kNegativeGroup; n += kLanes) {
      transpose_strip(group.negatives + n, d, group.packed + d * kNegativeGroup + n, kNegativeGroup);
    }
  }
}

/// gradients[i][n] = -rate * weight * s(h[i] . negatives[n]) of `rows` rows from `first` on.
template <int rows>
void negative_gradients(const NegativeGroup& group, int64_t first, int64_t dim) {
  const FloatTag d;
  FloatVec sums[rows][kGroupVectors];
  set_zero(sums);
  const float* h[rows];
  std::copy_n(group.h + first, rows, h);
  for (int64_t column = 0; column < dim; ++column) {
    if (column % kNegativeGroup == 0) group.upcoming.fetch();
    FloatVec negatives[kGroupVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kGroupVectors; ++v) {
      negatives[v] = hn::Load(d, group.packed + column * kNegativeGroup + v * kLanes);
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const FloatVec x = hn::Set(d, h[i][column]);
#pragma GCC unroll 16
      for (int v = 0; v < kGroupVectors; ++v) sums[i][v] = hn::MulAdd(x, negatives[v], sums[i][v]);
    }
  }
  const FloatVec negative_rate = hn::Set(d, -group.rate);
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
    const float* weights = group.weights + (first + i) * group.weight_stride;
#pragma GCC unroll 16
    for (int v = 0; v < kGroupVectors; ++v) {
      const int64_t n = v * kLanes, left = group.count - n;
      const FloatVec weight =
          left >= kLanes ? hn::LoadU(d, weights + n) : load_first(weights + n, std::max<int64_t>(left, 0));
      const FloatVec g = hn::Mul(hn::Mul(negative_rate, weight), Sigmoid(d, sums[i][v]));
      hn::Store(g, d, group.gradients + (first + i) * kNegativeGroup + n);
    }
  }
}

/// step[n] = sum over i of gradients[i][n] * h[i], of 16 columns from `column` on. step: [kNegativeGroup, 16]
HWY_INLINE void gather_negative_steps(const NegativeGroup& group, int64_t h_rows, int64_t column, float* step) {
  const FloatTag d;
  for (int64_t n = 0; n < kNegativeGroup; n += kUpdateNegatives) {
    FloatVec sums[kUpdateNegatives][kGroupVectors];
    set_zero(sums);
    const float* g = group.gradients + n;
    for (int64_t i = 0; i < h_rows; ++i, g += kNegativeGroup) {
      FloatVec x[kGroupVectors];
#pragma GCC unroll 16
      for (int v = 0; v < kGroupVectors; ++v) x[v] = hn::Load(d, group.h[i] + column + v * kLanes);
#pragma GCC unroll 16
      for (int k = 0; k < kUpdateNegatives; ++k) {
        const FloatVec factor = hn::Set(d, g[k]);
#pragma GCC unroll 16
        for (int v = 0; v < kGroupVectors; ++v) sums[k][v] = hn::MulAdd(factor, x[v], sums[k][v]);
      }
    }
#pragma GCC unroll 16
    for (int k = 0; k < kUpdateNegatives; ++k) {
#pragma GCC unroll 16
      for (int v = 0; v < kGroupVectors; ++v) hn::Store(sums[k][v], d, step + (n + k) * kNegativeGroup + v * kLanes);
    }
  }
}

/// h[i] += sum over n of gradients[i][n] * negatives[n], of `rows` rows and 16 columns. Rows move one after the other:
/// the same one may be there twice. negatives: [kNegativeGroup, 16], copies of those columns.
template <int rows>
HWY_INLINE void move_h_rows(const NegativeGroup& group, int64_t first, int64_t column, const FloatVec* negatives) {
  const FloatTag d;
  FloatVec sums[rows][kGroupVectors];
  set_zero(sums);
  const float* g = group.gradients + first * kNegativeGroup;
#pragma GCC unroll kUnrollNegatives
  for (int n = 0; n < kNegativeGroup; ++n) {
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const FloatVec factor = hn::Set(d, g[i * kNegativeGroup + n]);
#pragma GCC unroll 16
      for (int v = 0; v < kGroupVectors; ++v) {
        sums[i][v] = hn::MulAdd(factor, negatives[n * kGroupVectors + v], sums[i][v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 16
    for (int v = 0; v < kGroupVectors; ++v) {
      float* const x = group.h[first + i] + column + v * kLanes;
      hn::Store(hn::Add(hn::Load(d, x), sums[i][v]), d, x);
    }
  }
}

/// 16 columns of both sides.
HWY_INLINE void move_columns(const NegativeGroup& group, int64_t h_rows, int64_t column) {
  const FloatTag d;
  HWY_ALIGN float step[kNegativeGroup * kNegativeGroup];
  gather_negative_steps(group, h_rows, column, step);
  FloatVec negatives[kNegativeGroup * kGroupVectors];
#pragma GCC unroll 16
  for (int n = 0; n < kNegativeGroup; ++n) {
#pragma GCC unroll 16
    for (int v = 0; v < kGroupVectors; ++v) {
      negatives[n * kGroupVectors + v] = hn::Load(d, group.negatives[n] + column + v * kLanes);
    }
  }
  int64_t i = 0;
  for (; i + kUpdateRows <= h_rows; i += kUpdateRows) {
    group.upcoming.fetch();
    move_h_rows<kUpdateRows>(group, i, column, negatives);
  }
  for (; i < h_rows; ++i) move_h_rows<1>(group, i, column, negatives);
  for (int64_t n = 0; n < group.count; ++n) {
#pragma GCC unroll 16
    for (int v = 0; v < kGroupVectors; ++v) {
      float* const y = group.negatives[n] + column + v * kLanes;
      hn::Store(hn::Add(hn::Load(d, y), hn::Load(d, step + n * kNegativeGroup + v * kLanes)), d, y);
    }
  }
}

using GradientRows = void (*)(const NegativeGroup&, int64_t, int64_t);

template <int... rows>
constexpr auto gradient_rows(std::integer_sequence<int, rows...>) {
  return std::array<GradientRows, sizeof...(rows)>{negative_gradients<rows + 1>...};
}

HWY_INLINE void step_negative_group(const NegativeGroup& group, int64_t h_rows, int64_t dim) {
  static constexpr auto kGradientRows = gradient_rows(std::make_integer_sequence<int, kScoreRows>());
  pack_negatives(group);
  // Strips of nearly equal height: one of a single row would wait for its own sums.
  int64_t strips = (h_rows + kScoreRows - 1) / kScoreRows;
  for (int64_t i = 0; strips > 0; --strips) {
    const int64_t rows = (h_rows - i + strips - 1) / strips;
    kGradientRows[static_cast<size_t>(rows - 1)](group, i, dim);
    i += rows;
  }
  for (int64_t column = 0; column < group.width; column += kNegativeGroup) move_columns(group, h_rows, column);
}

/// How often rows are fetched in all groups of negatives.
HWY_INLINE int64_t negative_fetches(size_t h_rows, const Block& block, int64_t width) {
  const auto rows = static_cast<int64_t>(h_rows);
  const auto groups = (static_cast<int64_t>(block.negatives.size()) + kNegativeGroup - 1) / kNegativeGroup;
  return groups * ((rows + kScoreRows - 1) / kScoreRows + rows / kUpdateRows) * (width / kNegativeGroup);
}

/// All rows h against all negatives of a block.
HWY_INLINE void step_negatives(std::span<float* const> h, const Block& block, int64_t dim, float rate,
                               RowPrefetch& upcoming, BlockWorkspace::State& scratch) {
  const auto all = static_cast<int64_t>(block.negatives.size());
  for (int64_t first = 0; first < all && !h.empty(); first += kNegativeGroup) {
    NegativeGroup group{h.data(),
                        block.weights + first,
                        all,
                        {},
                        std::min(kNegativeGroup, all - first),
                        scratch.packed.get(),
                        scratch.gradients.get(),
                        scratch.width,
                        rate,
                        upcoming};
    std::fill(std::begin(group.negatives), std::end(group.negatives), scratch.zeros.get());
    std::copy_n(block.negatives.begin() + first, group.count, group.negatives);
    step_negative_group(group, static_cast<int64_t>(h.size()), dim);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#endif  // SESAME_WORD_VECTORS_TRAIN_BLOCK_NEGATIVES_INL_H_
