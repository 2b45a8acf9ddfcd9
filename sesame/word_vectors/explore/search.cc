#include "sesame/word_vectors/explore/search.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sesame/base/error.h"

namespace sesame {
namespace {

/// Rows that one thread takes at a time.
constexpr int64_t kBlockRows = 4096;

int64_t blocks_of(int64_t rows) { return (rows + kBlockRows - 1) / kBlockRows; }

/// Writes `vector` with length 1; false, and nothing written, where it has none.
bool normalise(std::span<const float> vector, float* out) {
  double square = 0;
  for (const float x : vector) square += static_cast<double>(x) * static_cast<double>(x);
  if (!(square > 0) || !std::isfinite(square)) return false;
  const double scale = 1 / std::sqrt(square);
  std::transform(vector.begin(), vector.end(), out,
                 [scale](float x) { return static_cast<float>(scale * static_cast<double>(x)); });
  return true;
}

/// The best so many of the neighbours that are offered.
class Best {
 public:
  explicit Best(int64_t count) : count_(static_cast<size_t>(count)) {}

  /// Worth offering: few are, so that this decides the time.
  [[nodiscard]] bool takes(float score) const { return heap_.size() < count_ || score >= heap_.front().score; }

  void offer(const Neighbor& neighbor) {
    if (heap_.size() == count_) {
      if (!comes_before(neighbor, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), comes_before);
      heap_.pop_back();
    }
    heap_.push_back(neighbor);
    std::push_heap(heap_.begin(), heap_.end(), comes_before);
  }

  [[nodiscard]] const std::vector<Neighbor>& neighbors() const { return heap_; }

 private:
  size_t count_;
  std::vector<Neighbor> heap_;  // the last in order in front
};

bool contains(std::span<const int32_t> ids, int32_t id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

void offer_all(std::span<const float> scores, int64_t first, std::span<const int32_t> excluded, Best& best) {
  for (size_t i = 0; i < scores.size(); ++i) {
    const auto id = static_cast<int32_t>(first + static_cast<int64_t>(i));
    if (best.takes(scores[i]) && !contains(excluded, id)) best.offer({id, scores[i]});
  }
}

/// `fill(first, scores)` computes the scores of a block of ids, on any thread; the best of all blocks.
template <typename Fill>
std::vector<Neighbor> best_of_blocks(int64_t ids, int64_t count, std::span<const int32_t> excluded, ThreadPool& threads,
                                     Fill fill) {
  count = std::min(count, ids);
  if (count <= 0) return {};
  std::vector<Best> best(static_cast<size_t>(threads.threads()), Best(count));
  threads.run(blocks_of(ids), [&](int64_t block, int thread) {
    const int64_t first = block * kBlockRows;
    const int64_t rows = std::min(kBlockRows, ids - first);
    offer_all(fill(first, rows, thread), first, excluded, best[static_cast<size_t>(thread)]);
  });
  std::vector<Neighbor> all;
  for (const Best& b : best) all.insert(all.end(), b.neighbors().begin(), b.neighbors().end());
  std::sort(all.begin(), all.end(), comes_before);
  if (all.size() > static_cast<size_t>(count)) all.resize(static_cast<size_t>(count));
  return all;
}

}  // namespace

std::vector<float> unit_vector(std::span<const float> vector) {
  std::vector<float> unit(vector.size());
  if (!normalise(vector, unit.data())) {
    fail("word vectors: this vector has no direction: it is all zero, or holds a number that is not finite");
  }
  return unit;
}

std::vector<Neighbor> best_scores(std::span<const float> scores, int64_t count, std::span<const int32_t> excluded,
                                  ThreadPool& threads) {
  return best_of_blocks(static_cast<int64_t>(scores.size()), count, excluded, threads,
                        [&](int64_t first, int64_t rows, int) {
                          return scores.subspan(static_cast<size_t>(first), static_cast<size_t>(rows));
                        });
}

VectorSearch::VectorSearch(const WordVectors& vectors, ThreadPool& threads, int64_t words)
    : unit_(words > 0 ? std::min(words, vectors.vectors.rows) : vectors.vectors.rows, vectors.dim()),
      threads_(&threads) {
  threads_->run(blocks_of(size()), [&](int64_t block, int) {
    const int64_t end = std::min(size(), (block + 1) * kBlockRows);
    for (int64_t i = block * kBlockRows; i < end; ++i) normalise(vectors.row(static_cast<int32_t>(i)), unit_.row(i));
  });
}

void VectorSearch::cosines(std::span<const float> queries, int64_t count, std::span<float> out) const {
  if (count < 0 || queries.size() != static_cast<size_t>(count * dim()) ||
      out.size() != static_cast<size_t>(count * size())) {
    fail(fmt::format("cosines: {} queries of {} numbers and {} results expected, not {} numbers and {} results", count,
                     dim(), count * size(), queries.size(), out.size()));
  }
  const RowTable padded = [&] {
    RowTable table(count, dim());
    for (int64_t q = 0; q < count; ++q) std::copy_n(queries.data() + q * dim(), dim(), table.row(q));
    return table;
  }();
  const RowSpan query_rows{padded.row(0), count, dim(), padded.stride};
  // A packed panel pays only where several queries use it.
  constexpr int64_t kFewQueries = 4;
  constexpr int64_t kColumns = 512;
  std::vector<std::vector<float>> panels(static_cast<size_t>(threads_->threads()));
  threads_->run((size() + kColumns - 1) / kColumns, [&](int64_t block, int thread) {
    const int64_t first = block * kColumns;
    const RowSpan rows = view(first, std::min(kColumns, size() - first));
    if (count < kFewQueries) {
      for (int64_t q = 0; q < count; ++q) multiply_row(padded.row(q), rows, out.data() + q * size() + first);
      return;
    }
    std::vector<float>& panel = panels[static_cast<size_t>(thread)];
    panel.resize(static_cast<size_t>(unit_.stride * kMostPanelColumns));
    multiply_rows(query_rows, rows, panel.data(), out.data() + first, size());
  });
}

std::vector<Neighbor> VectorSearch::nearest(std::span<const float> query, int64_t count,
                                            std::span<const int32_t> excluded) const {
  if (static_cast<int64_t>(query.size()) != dim()) {
    fail(fmt::format("word vectors: a query of {} numbers for vectors of {}", query.size(), dim()));
  }
  std::vector<float> padded = unit_vector(query);
  padded.resize(static_cast<size_t>(unit_.stride));
  std::vector<std::vector<float>> scores(static_cast<size_t>(threads_->threads()), std::vector<float>(kBlockRows));
  return best_of_blocks(size(), count, excluded, *threads_, [&](int64_t first, int64_t rows, int thread) {
    std::vector<float>& out = scores[static_cast<size_t>(thread)];
    multiply_row(padded.data(), view(first, rows), out.data());
    return std::span<const float>(out).first(static_cast<size_t>(rows));
  });
}

}  // namespace sesame
