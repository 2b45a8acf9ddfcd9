#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sesame/base/thread_pool.h"
#include "sesame/word_vectors/files/word_vectors.h"

namespace sesame {

struct Neighbor {
  int32_t id = 0;
  float score = 0;  // cosine, or what the analogy's formula gives
};

/// Exact search over vectors of unit length. Keeps a normalised copy of the rows (rows of zeros stay zero).
class VectorSearch {
 public:
  /// `words`: only the first so many; 0: all.
  VectorSearch(const WordVectors& vectors, ThreadPool& threads, int64_t words = 0);

  [[nodiscard]] int64_t size() const noexcept { return unit_.rows; }
  [[nodiscard]] std::span<const float> unit(int64_t id) const noexcept {
    return {unit_.row(id), static_cast<size_t>(unit_.dim)};
  }
  /// cosines[q, i] = queries[q] . unit(i) for queries of unit length, [queries, dim] -> [queries, size()]: one matrix
  /// product on all threads.
  void cosines(std::span<const float> queries, int64_t count, std::span<float> out) const;
  /// The `count` rows with the highest cosine to `query` (any length but 0), best first, ids in `excluded` left out;
  /// ties go to the smaller id.
  [[nodiscard]] std::vector<Neighbor> nearest(std::span<const float> query, int64_t count,
                                              std::span<const int32_t> excluded = {}) const;

 private:
  RowTable unit_;
  ThreadPool* threads_;
};

}  // namespace sesame
