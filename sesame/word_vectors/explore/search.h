#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/explore/cosine_kernels.h"
#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

struct Neighbor {
  int32_t id = 0;
  float score = 0;  // cosine, or what the analogy's formula gives

  bool operator==(const Neighbor&) const = default;
};

/// The order of results: higher scores first, equal ones by id.
constexpr bool comes_before(const Neighbor& a, const Neighbor& b) {
  return a.score != b.score ? a.score > b.score : a.id < b.id;
}

/// Exact search over vectors of unit length. Keeps a normalised copy of the rows (rows of zeros stay zero). One call at
/// a time: a call uses all threads of the pool.
class VectorSearch {
 public:
  /// `words`: only the first so many; 0: all.
  VectorSearch(const WordVectors& vectors, ThreadPool& threads, int64_t words = 0);

  [[nodiscard]] int64_t size() const noexcept { return unit_.rows; }
  [[nodiscard]] int64_t dim() const noexcept { return unit_.dim; }
  [[nodiscard]] ThreadPool& threads() const noexcept { return *threads_; }
  [[nodiscard]] std::span<const float> unit(int64_t id) const noexcept {
    return {unit_.row(id), static_cast<size_t>(unit_.dim)};
  }
  /// Rows [first, first + count) as the kernels take them.
  [[nodiscard]] RowSpan view(int64_t first, int64_t count) const noexcept {
    return {unit_.row(first), count, unit_.dim, unit_.stride};
  }
  /// cosines[q, i] = queries[q] . unit(i) for queries of unit length, [queries, dim] -> [queries, size()]: one matrix
  /// product on all threads.
  void cosines(std::span<const float> queries, int64_t count, std::span<float> out) const;
  /// The `count` rows with the highest cosine to `query` (any length but 0), best first, ids in `excluded` left out;
  /// ties go to the smaller id. Throws Error for a query of another dimension, of zeros, or with a NaN.
  [[nodiscard]] std::vector<Neighbor> nearest(std::span<const float> query, int64_t count,
                                              std::span<const int32_t> excluded = {}) const;

 private:
  RowTable unit_;
  ThreadPool* threads_;
};

/// The same direction with length 1. Throws Error for zeros, a NaN or an infinity.
std::vector<float> unit_vector(std::span<const float> vector);

/// The `count` best of scores[id], best first, ids in `excluded` left out.
std::vector<Neighbor> best_scores(std::span<const float> scores, int64_t count, std::span<const int32_t> excluded,
                                  ThreadPool& threads);

}  // namespace sesame
