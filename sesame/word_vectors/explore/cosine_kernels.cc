#include "sesame/word_vectors/explore/cosine_kernels.h"

#include <array>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "sesame/word_vectors/explore/cosine_kernels.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "sesame/simd/simd-inl.h"
#include "sesame/simd/transpose-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sesame {
namespace HWY_NAMESPACE {
namespace {

constexpr int64_t kPanelColumns = 2 * kLanes;
static_assert(kPanelColumns <= kMostPanelColumns);

/// Queries of a register tile: as many as leave room for two vectors of the panel and one of a query.
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
constexpr int kTileQueries = 14;
#elif HWY_ARCH_ARM_A64
constexpr int kTileQueries = 12;
#else
constexpr int kTileQueries = 6;
#endif

/// panel[d, i] = rows[i, d]; columns beyond the rows hold what nobody reads.
HWY_INLINE void pack_panel(const RowSpan& rows, float* HWY_RESTRICT panel) {
  const float* pointers[kPanelColumns];
  for (int64_t i = 0; i < kPanelColumns; ++i) pointers[i] = rows.first + HWY_MIN(i, rows.rows - 1) * rows.stride;
  for (int64_t d = 0; d < rows.dim; d += 4) {
    float* to = panel + d * kPanelColumns;
    transpose_strip(pointers, d, to, kPanelColumns);
    transpose_strip(pointers + kLanes, d, to + kLanes, kPanelColumns);
  }
}

/// Products of kQueries queries with the columns of a panel.
template <int kQueries>
HWY_NOINLINE void multiply_tile(const float* queries, int64_t stride, const float* panel, int64_t dim, float* out,
                                int64_t out_stride, int64_t columns) {
  const FloatTag tag;
  FloatVec sum[kQueries][2];
#pragma GCC unroll 16
  for (int q = 0; q < kQueries; ++q) sum[q][0] = sum[q][1] = hn::Zero(tag);
  for (int64_t d = 0; d < dim; ++d) {
    const FloatVec first = hn::LoadU(tag, panel + d * kPanelColumns);
    const FloatVec second = hn::LoadU(tag, panel + d * kPanelColumns + kLanes);
#pragma GCC unroll 16
    for (int q = 0; q < kQueries; ++q) {
      const FloatVec x = hn::Set(tag, queries[q * stride + d]);
      sum[q][0] = hn::MulAdd(x, first, sum[q][0]);
      sum[q][1] = hn::MulAdd(x, second, sum[q][1]);
    }
  }
#pragma GCC unroll 16
  for (int q = 0; q < kQueries; ++q) {
    float* to = out + q * out_stride;
    if (columns == kPanelColumns) {
      hn::StoreU(sum[q][0], tag, to);
      hn::StoreU(sum[q][1], tag, to + kLanes);
    } else if (columns >= kLanes) {
      hn::StoreU(sum[q][0], tag, to);
      store_first(sum[q][1], to + kLanes, columns - kLanes);
    } else {
      store_first(sum[q][0], to, columns);
    }
  }
}

using MultiplyTile = void (*)(const float*, int64_t, const float*, int64_t, float*, int64_t, int64_t);

/// multiply_tile for 1, 2, ... queries.
template <int... kLess>
constexpr std::array<MultiplyTile, sizeof...(kLess)> tiles_of(std::integer_sequence<int, kLess...>) {
  return {multiply_tile<kLess + 1>...};
}

void multiply_rows(const RowSpan& queries, const RowSpan& rows, float* panel, float* out, int64_t out_stride) {
  constexpr auto kTiles = tiles_of(std::make_integer_sequence<int, kTileQueries>());
  // Of about the same size: small tiles would wait for their few sums.
  const int64_t tiles = (queries.rows + kTileQueries - 1) / kTileQueries;
  for (int64_t i = 0; i < rows.rows; i += kPanelColumns) {
    const int64_t columns = HWY_MIN(kPanelColumns, rows.rows - i);
    pack_panel({rows.first + i * rows.stride, columns, rows.dim, rows.stride}, panel);
    for (int64_t t = 0; t < tiles; ++t) {
      const int64_t q = t * queries.rows / tiles, end = (t + 1) * queries.rows / tiles;
      kTiles[static_cast<size_t>(end - q - 1)](queries.first + q * queries.stride, queries.stride, panel, rows.dim,
                                               out + q * out_stride + i, out_stride, columns);
    }
  }
}

/// out[r] = query . row r for kRows rows.
template <int kRows>
HWY_INLINE void dot_rows(const float* query, const float* rows, int64_t stride, float* out) {
  const FloatTag tag;
  FloatVec sum[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) sum[r] = hn::Zero(tag);
  for (int64_t d = 0; d < stride; d += kLanes) {
    const FloatVec x = hn::LoadU(tag, query + d);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) sum[r] = hn::MulAdd(x, hn::LoadU(tag, rows + r * stride + d), sum[r]);
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) out[r] = sum_of(sum[r]);
}

void multiply_row(const float* query, const RowSpan& rows, float* out) {
  int64_t i = 0;
  for (; i + 8 <= rows.rows; i += 8) dot_rows<8>(query, rows.first + i * rows.stride, rows.stride, out + i);
  for (; i < rows.rows; ++i) dot_rows<1>(query, rows.first + i * rows.stride, rows.stride, out + i);
}

void shift_cosines(float* cosines, int64_t n) {
  map(
      n, cosines,
      [](FloatVec x) HWY_ATTR {
        const FloatVec half = hn::Set(FloatTag(), 0.5F);
        return hn::MulAdd(half, x, half);
      },
      static_cast<const float*>(cosines));
}

/// Neither formula has a product that is added to: nothing that one compiler would fuse and another not.
template <AnalogyRule kRule>
HWY_INLINE FloatVec score_at(const float* a, const float* b, const float* c) {
  const FloatTag tag;
  const FloatVec va = hn::LoadU(tag, a), vb = hn::LoadU(tag, b), vc = hn::LoadU(tag, c);
  if constexpr (kRule == AnalogyRule::add) return hn::Add(hn::Sub(vb, va), vc);
  return hn::Div(hn::Mul(vb, vc), hn::Add(va, hn::Set(tag, kMultiplyEpsilon)));
}

template <AnalogyRule kRule>
HWY_INLINE int64_t reaching_by(const CosineTile& tile, const AnalogyRows* questions, int64_t count, const float* best,
                               int32_t* reaching) {
  const FloatTag tag;
  int64_t found = 0;
  for (int64_t q = 0; q < count; ++q) {
    const float* a = tile.cosines + questions[q].a * tile.columns;
    const float* b = tile.cosines + questions[q].b * tile.columns;
    const float* c = tile.cosines + questions[q].c * tile.columns;
    FloatVec most = score_at<kRule>(a, b, c);
    for (int64_t i = kLanes; i < tile.columns; i += kLanes) most = hn::Max(most, score_at<kRule>(a + i, b + i, c + i));
    reaching[found] = static_cast<int32_t>(q);
    found += hn::AllFalse(tag, hn::Ge(most, hn::Set(tag, best[q]))) ? 0 : 1;
  }
  return found;
}

int64_t questions_reaching(const CosineTile& tile, AnalogyRule rule, const AnalogyRows* questions, int64_t count,
                           const float* best, int32_t* reaching) {
  return rule == AnalogyRule::add ? reaching_by<AnalogyRule::add>(tile, questions, count, best, reaching)
                                  : reaching_by<AnalogyRule::multiply>(tile, questions, count, best, reaching);
}

template <AnalogyRule kRule>
HWY_INLINE void scores_by(const CosineTile& tile, const AnalogyRows& question, float* scores) {
  const float* a = tile.cosines + question.a * tile.columns;
  const float* b = tile.cosines + question.b * tile.columns;
  const float* c = tile.cosines + question.c * tile.columns;
  for (int64_t i = 0; i < tile.columns; i += kLanes) {
    hn::StoreU(score_at<kRule>(a + i, b + i, c + i), FloatTag(), scores + i);
  }
}

void analogy_scores(const CosineTile& tile, AnalogyRule rule, const AnalogyRows& question, float* scores) {
  if (rule == AnalogyRule::add) {
    scores_by<AnalogyRule::add>(tile, question, scores);
  } else {
    scores_by<AnalogyRule::multiply>(tile, question, scores);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sesame
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sesame {
namespace {

HWY_EXPORT(multiply_rows);
HWY_EXPORT(multiply_row);
HWY_EXPORT(shift_cosines);
HWY_EXPORT(questions_reaching);
HWY_EXPORT(analogy_scores);

}  // namespace

void multiply_rows(const RowSpan& queries, const RowSpan& rows, float* panel, float* out, int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(multiply_rows)(queries, rows, panel, out, out_stride);
}

void multiply_row(const float* query, const RowSpan& rows, float* out) {
  HWY_DYNAMIC_DISPATCH(multiply_row)(query, rows, out);
}

void shift_cosines(std::span<float> cosines) {
  HWY_DYNAMIC_DISPATCH(shift_cosines)(cosines.data(), static_cast<int64_t>(cosines.size()));
}

int64_t questions_reaching(const CosineTile& tile, AnalogyRule rule, std::span<const AnalogyRows> questions,
                           const float* best, int32_t* reaching) {
  return HWY_DYNAMIC_DISPATCH(questions_reaching)(tile, rule, questions.data(), static_cast<int64_t>(questions.size()),
                                                  best, reaching);
}

void analogy_scores(const CosineTile& tile, AnalogyRule rule, const AnalogyRows& question, float* scores) {
  HWY_DYNAMIC_DISPATCH(analogy_scores)(tile, rule, question, scores);
}

}  // namespace sesame
#endif  // HWY_ONCE
