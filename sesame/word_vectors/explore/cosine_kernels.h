#pragma once

#include <cstdint>
#include <span>

namespace sesame {

/// Rows of one length, `stride` floats apart, a multiple of 16; what lies between dim and stride is zero.
struct RowSpan {
  const float* first = nullptr;
  int64_t rows = 0;
  int64_t dim = 0;
  int64_t stride = 0;
};

/// Columns that multiply_rows computes at once are at most this many, whatever the instruction set.
constexpr int64_t kMostPanelColumns = 32;

/// out[q * out_stride + i] = queries[q] . rows[i], on the calling thread. Rows are packed [dim, columns] a panel at a
/// time into `panel`, rows.stride * kMostPanelColumns floats. All products are summed in the same order.
void multiply_rows(const RowSpan& queries, const RowSpan& rows, float* panel, float* out, int64_t out_stride);

/// out[i] = query . rows[i]; reads each row once, as fast as memory gives it. `query` has rows.stride floats.
void multiply_row(const float* query, const RowSpan& rows, float* out);

/// a is to b as c is to the word that is looked for: three rows of a tile of cosines.
struct AnalogyRows {
  int32_t a = 0;
  int32_t b = 0;
  int32_t c = 0;
};

/// The formula by which a column scores.
enum class AnalogyRule {
  add,       // 3CosAdd: cos(b) - cos(a) + cos(c) (Mikolov et al., "Linguistic regularities", 2013)
  multiply,  // 3CosMul: p(b) p(c) / (p(a) + 1e-6), p(x) = (1 + cos x) / 2 (Levy and Goldberg, 2014)
};

/// What stands in the divisor of 3CosMul beside p(a).
constexpr float kMultiplyEpsilon = 1e-6F;

/// cos -> (1 + cos) / 2 in place: what the scores of AnalogyRule::multiply are made of.
void shift_cosines(std::span<float> cosines);

/// Cosines of words (rows) with some columns of the vocabulary, [words, columns]; shifted for AnalogyRule::multiply.
/// `columns` is a multiple of 16.
struct CosineTile {
  const float* cosines = nullptr;
  int64_t columns = 0;
};

/// Writes to `reaching` the questions of which some column scores at least best[question], in order, and returns how
/// many those are.
int64_t questions_reaching(const CosineTile& tile, AnalogyRule rule, std::span<const AnalogyRows> questions,
                           const float* best, int32_t* reaching);

/// The scores of all columns for one question: the very numbers that questions_reaching compares.
void analogy_scores(const CosineTile& tile, AnalogyRule rule, const AnalogyRows& question, float* scores);

}  // namespace sesame
